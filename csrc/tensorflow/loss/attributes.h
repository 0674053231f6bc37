#pragma once

// What the forward and the backward op share, besides tensors: attributes, and numbers that may be
// given in place of some.

#include "absl/status/status.h"
#include "call/attributes.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/shared/op_and_gradient.h"

namespace tailops {

tensorflow::register_op::OpDefBuilderWrapper& with_attributes(
    tensorflow::register_op::OpDefBuilderWrapper& op);

// What of the options is given with every call, if anything is: none or one, in the host's memory.
constexpr const char* kStepNumbersInput = "numbers";
constexpr const char* kStepNumbersCount = "scheduled";

constexpr OpAndGradient kLossOps{"Tailops>TailLoss", "Tailops>TailLossGrad", kStepNumbersInput,
                                 kStepNumbersInput};

tensorflow::register_op::OpDefBuilderWrapper& with_step_numbers(
    tensorflow::register_op::OpDefBuilderWrapper& op);

// Of a shape function: that the numbers, if given, may be StepNumbers.
absl::Status require_step_numbers(tensorflow::shape_inference::InferenceContext* c);

absl::Status read_attributes(tensorflow::OpKernelConstruction* context, Attributes& attributes);

}  // namespace tailops
