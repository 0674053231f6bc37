#pragma once

// The mask of an op that may have one.

#include "call/geometry.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/shared/kernel_types.h"

namespace tailops {

// Null where there is none. std::invalid_argument unless it is one of the input's shape.
inline absl::Status find_mask(tensorflow::OpKernelContext* context,
                              const tensorflow::TensorShape& input, const bool*& mask) {
  tensorflow::OpInputList masks;
  TF_RETURN_IF_ERROR(context->input_list("mask", &masks));
  mask = nullptr;
  if (masks.size() == 0) return absl::OkStatus();
  require_one("mask", masks.size());
  require_shape("mask", dimensions(masks[0].shape()), dimensions(input));
  mask = masks[0].flat<bool>().data();
  return absl::OkStatus();
}

}  // namespace tailops
