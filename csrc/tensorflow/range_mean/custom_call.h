#pragma once

// The range mean's part of shared/custom_call.h.

#include "tensorflow/shared/custom_call.h"

namespace tailops {

absl::StatusOr<Lowering> range_mean_lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
