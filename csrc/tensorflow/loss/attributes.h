#pragma once

// The attributes that the forward and the backward op share.

#include "absl/status/status.h"
#include "call/attributes.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/shared/op_and_gradient.h"

namespace tailops {

constexpr OpAndGradient kLossOps{"Tailops>TailLoss", "Tailops>TailLossGrad"};

tensorflow::register_op::OpDefBuilderWrapper& with_attributes(
    tensorflow::register_op::OpDefBuilderWrapper& op);

absl::Status read_attributes(tensorflow::OpKernelConstruction* context, Attributes& attributes);

}  // namespace tailops
