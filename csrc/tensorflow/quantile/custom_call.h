#pragma once

// The selection's part of shared/custom_call.h.

#include "tensorflow/shared/custom_call.h"

namespace tailops {

absl::StatusOr<Lowering> selection_lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
