#pragma once

// What the loss's kernels on every device share: all but the computation.

#include "cpu/loss/tail_loss.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/loss/step_numbers.h"
#include "tensorflow/shared/guarded_op.h"
#include "tensorflow/shared/kernel_types.h"
#include "tensorflow/shared/mask.h"

namespace tailops {

// The inputs and outputs of a call, checked: std::invalid_argument.
struct ForwardCall {
  Geometry geometry;
  Options options;
  const tensorflow::Tensor* y_true;
  const tensorflow::Tensor* y_pred;
  const bool* mask;  // null where there is none
  tensorflow::Tensor* loss;
  tensorflow::Tensor* state;
};

struct BackwardCall {
  Geometry geometry;
  Options options;
  const tensorflow::Tensor* upstream;
  const tensorflow::Tensor* y_true;
  const tensorflow::Tensor* y_pred;
  const tensorflow::Tensor* state;
  const bool* mask;
  tensorflow::Tensor* gradient;  // may be over an input that nobody else needs
  bool is_over_input;
};

class TailLossBase : public GuardedOp {
 public:
  explicit TailLossBase(tensorflow::OpKernelConstruction* context) : GuardedOp(context) {
    OP_REQUIRES_OK(context, read_attributes(context, attributes_));
  }

 protected:
  absl::Status begin(tensorflow::OpKernelContext* context, ForwardCall& call) const {
    using tensorflow::TensorShape;
    call.y_true = &context->input(0);
    call.y_pred = &context->input(1);
    call.geometry = geometry_of(*call.y_true, *call.y_pred);
    TF_RETURN_IF_ERROR(find_options(context, attributes_.options, call.options));
    TF_RETURN_IF_ERROR(find_mask(context, call.y_pred->shape(), call.mask));
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, TensorShape(call.geometry.output_shape), &call.loss));
    return context->allocate_output(1, TensorShape({call.geometry.groups(), kStateColumns}),
                                    &call.state);
  }

  absl::Status begin(tensorflow::OpKernelContext* context, BackwardCall& call) const {
    call.upstream = &context->input(0);
    call.y_true = &context->input(1);
    call.y_pred = &context->input(2);
    call.state = &context->input(3);
    call.geometry = geometry_of(*call.y_true, *call.y_pred);
    require_shape("upstream", dimensions(call.upstream->shape()), call.geometry.output_shape);
    require_shape("state", dimensions(call.state->shape()),
                  {call.geometry.groups(), kStateColumns});
    TF_RETURN_IF_ERROR(find_options(context, attributes_.options, call.options));
    TF_RETURN_IF_ERROR(find_mask(context, call.y_pred->shape(), call.mask));
    int input = -1;
    TF_RETURN_IF_ERROR(context->forward_input_or_allocate_output({2, 1}, 0, call.y_pred->shape(),
                                                                 &call.gradient, &input));
    call.is_over_input = input >= 0;
    return absl::OkStatus();
  }

 private:
  Geometry geometry_of(const tensorflow::Tensor& y_true, const tensorflow::Tensor& y_pred) const {
    const std::vector<int64_t> shape = dimensions(y_pred.shape());
    require_same_shape(dimensions(y_true.shape()), shape);
    return make_geometry(shape, attributes_.axis, attributes_.reduction);
  }

  Attributes attributes_;
};

}  // namespace tailops
