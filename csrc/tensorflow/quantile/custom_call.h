#pragma once

// The selection's part of shared/custom_call.h.

#include <string>

#include "tensorflow/shared/custom_call.h"

namespace tailops {

bool is_selection(const std::string& op);

absl::StatusOr<Lowering> selection_lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
