#pragma once

// The attributes that the selection ops share.

#include "absl/status/status.h"
#include "cpu/quantile/quantile.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/shared/op_and_gradient.h"

namespace tailops {

constexpr OpAndGradient kSelectOps{"Tailops>Select", "Tailops>SelectGrad", "q"};

tensorflow::register_op::OpDefBuilderWrapper& with_selection_attributes(
    tensorflow::register_op::OpDefBuilderWrapper& op);

absl::Status read_selection_attributes(tensorflow::OpKernelConstruction* context,
                                       SelectionOptions& options);

}  // namespace tailops
