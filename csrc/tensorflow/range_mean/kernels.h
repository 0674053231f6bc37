#pragma once

// What the range mean's kernels on every device share: a call's inputs, checked, and its outputs,
// allocated. The bounds are in the host's memory everywhere.

#include "call/geometry.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/range_mean/attributes.h"
#include "tensorflow/shared/guarded_op.h"
#include "tensorflow/shared/kernel_types.h"
#include "tensorflow/shared/mask.h"
#include "tensorflow/shared/weights.h"

namespace tailops {

struct RangeMeanCall {
  SelectionGeometry geometry;
  RangeBounds bounds;
  const bool* mask;  // null where there is none
  Weights weights;
  tensorflow::Tensor* mean;
  RangeState* state;
};

struct RangeMeanGradCall {
  SelectionGeometry geometry;
  const bool* mask;
  const RangeState* state;
  tensorflow::Tensor* gradient;  // may be over values that nobody else needs
  bool is_over_input;
};

// std::invalid_argument unless they are two numbers.
inline RangeBounds bounds_of(const tensorflow::Tensor& bounds) {
  require_shape("bounds", dimensions(bounds.shape()), {2});
  return {bounds.flat<double>()(0), bounds.flat<double>()(1)};
}

class RangeMeanBase : public GuardedOp {
 public:
  explicit RangeMeanBase(tensorflow::OpKernelConstruction* context) : GuardedOp(context) {
    OP_REQUIRES_OK(context, read_range_attributes(context, options_));
  }

 protected:
  // Inputs: values, bounds, mask, weights.
  absl::Status begin(tensorflow::OpKernelContext* context, RangeMeanCall& call) const {
    using tensorflow::TensorShape;
    const TensorShape& shape = context->input(0).shape();
    call.bounds = bounds_of(context->input(1));
    call.geometry = range_geometry(dimensions(shape), options_);
    TF_RETURN_IF_ERROR(find_mask(context, shape, call.mask));
    TF_RETURN_IF_ERROR(find_weights(context, shape, call.weights));
    if (call.weights.exist()) require_range_of_weights(options_.kind, call.mask != nullptr);
    const TensorShape states({call.geometry.groups(), kRangeColumns});
    tensorflow::Tensor* state = nullptr;
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, TensorShape(call.geometry.group_shape), &call.mean));
    TF_RETURN_IF_ERROR(context->allocate_output(1, states, &state));
    call.state = state_of<RangeState>(state);
    return absl::OkStatus();
  }

  // Inputs: upstream, values, state, mask.
  absl::Status begin(tensorflow::OpKernelContext* context, RangeMeanGradCall& call) const {
    const tensorflow::TensorShape& shape = context->input(1).shape();
    const tensorflow::Tensor& state = context->input(2);
    call.geometry = range_geometry(dimensions(shape), options_);
    require_shape("upstream", dimensions(context->input(0).shape()), call.geometry.group_shape);
    require_shape("state", dimensions(state.shape()), {call.geometry.groups(), kRangeColumns});
    TF_RETURN_IF_ERROR(find_mask(context, shape, call.mask));
    call.state = state_of<RangeState>(state);
    int input = -1;
    TF_RETURN_IF_ERROR(
        context->forward_input_or_allocate_output({1}, 0, shape, &call.gradient, &input));
    call.is_over_input = input >= 0;
    return absl::OkStatus();
  }

  RangeOptions options_;
};

}  // namespace tailops
