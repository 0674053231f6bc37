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

// What the shape of the mask, or of the weights, tells of the input's, if there are any.
absl::Status merge_mask(tensorflow::shape_inference::InferenceContext* c,
                        tensorflow::shape_inference::ShapeHandle* input);
absl::Status merge_weights(tensorflow::shape_inference::InferenceContext* c,
                           tensorflow::shape_inference::ShapeHandle* input);

}  // namespace tailops
