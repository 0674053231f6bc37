#pragma once

#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/shared/status.h"

namespace tailops {

// A shape function that may throw, as one that does not. TensorFlow adds which op it is of.
template <absl::Status (*shape)(tensorflow::shape_inference::InferenceContext*)>
absl::Status guarded_shape(tensorflow::shape_inference::InferenceContext* context) {
  return status_of("shape inference", [context] { return shape(context); });
}

}  // namespace tailops
