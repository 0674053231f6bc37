#pragma once

// The weights of an op that may have them.

#include "call/geometry.h"
#include "call/weights.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/shared/kernel_types.h"

namespace tailops {

// None where there are none. std::invalid_argument unless they are of the input's shape.
inline absl::Status find_weights(tensorflow::OpKernelContext* context,
                                 const tensorflow::TensorShape& input, Weights& weights) {
  tensorflow::OpInputList given;
  TF_RETURN_IF_ERROR(context->input_list("weights", &given));
  weights = {};
  if (given.size() == 0) return absl::OkStatus();
  require_one("weights", given.size());
  require_shape("weights", dimensions(given[0].shape()), dimensions(input));
  weights = {given[0].data(), given[0].dtype() == tensorflow::DT_DOUBLE};
  return absl::OkStatus();
}

}  // namespace tailops
