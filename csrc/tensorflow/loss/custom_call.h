#pragma once

// The tail loss's part of shared/custom_call.h.

#include "tensorflow/shared/custom_call.h"

namespace tailops {

absl::StatusOr<Lowering> loss_lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
