#pragma once

// What the ops' shape functions share.

#include "absl/status/status.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace tailops {

// The input's shape without the attribute "axis", and the number of groups, as far as they are
// known. XLA needs the latter where a state leaves a tf.cond.
absl::Status group_shape(tensorflow::shape_inference::InferenceContext* c,
                         tensorflow::shape_inference::ShapeHandle input,
                         tensorflow::shape_inference::ShapeHandle* groups,
                         tensorflow::shape_inference::DimensionHandle* count);

// What the mask's shape tells of the input's, if there is a mask.
absl::Status merge_mask(tensorflow::shape_inference::InferenceContext* c,
                        tensorflow::shape_inference::ShapeHandle* input);

}  // namespace tailops
