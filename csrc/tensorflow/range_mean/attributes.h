#pragma once

// The attributes that the range mean and its gradient share.

#include "absl/status/status.h"
#include "call/range_mean.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/shared/op_and_gradient.h"

namespace tailops {

constexpr OpAndGradient kRangeMeanOps{"Tailops>RangeMean", "Tailops>RangeMeanGrad", "bounds"};

tensorflow::register_op::OpDefBuilderWrapper& with_range_attributes(
    tensorflow::register_op::OpDefBuilderWrapper& op);

absl::Status read_range_attributes(tensorflow::OpKernelConstruction* context,
                                   RangeOptions& options);

}  // namespace tailops
