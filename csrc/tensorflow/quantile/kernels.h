#pragma once

// What the selection's kernels on every device share: a call's inputs, checked, and its outputs,
// allocated. q is in the host's memory everywhere.

#include <stdexcept>

#include "call/geometry.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/quantile/attributes.h"
#include "tensorflow/shared/guarded_op.h"
#include "tensorflow/shared/kernel_types.h"
#include "tensorflow/shared/weights.h"

namespace tailops {

struct SelectCall {
  SelectionGeometry geometry;
  Weights weights;
  const double* q;
  int64_t q_count;
  tensorflow::Tensor* value;
  SelectionState* state;
};

struct SelectGradCall {
  SelectionGeometry geometry;
  int64_t q_count;
  const SelectionState* state;
  tensorflow::Tensor* gradient;
};

class SelectionOp : public GuardedOp {
 public:
  explicit SelectionOp(tensorflow::OpKernelConstruction* context) : GuardedOp(context) {
    OP_REQUIRES_OK(context, read_selection_attributes(context, options_));
  }

 protected:
  // Inputs: x, q, weights.
  absl::Status prepare(tensorflow::OpKernelContext* context, SelectCall& call) const {
    using tensorflow::TensorShape;
    const tensorflow::Tensor& q = context->input(1);
    if (q.dims() > 1) {
      throw std::invalid_argument("q of shape " + q.shape().DebugString() +
                                  ": must be a scalar or a vector");
    }
    call.q = q.flat<double>().data();
    call.q_count = q.NumElements();
    call.geometry = selection_geometry(dimensions(context->input(0).shape()), options_);
    require_selectable(options_, call.q, call.q_count, call.geometry.length);
    TF_RETURN_IF_ERROR(find_weights(context, context->input(0).shape(), call.weights));
    if (call.weights.exist()) require_method_of_weights(options_);
    const TensorShape shape(value_shape(dimensions(q.shape()), call.geometry));
    const TensorShape states({call.geometry.groups(), kSelectionColumns * call.q_count});
    tensorflow::Tensor* state = nullptr;
    TF_RETURN_IF_ERROR(context->allocate_output(0, shape, &call.value));
    TF_RETURN_IF_ERROR(context->allocate_output(1, states, &state));
    call.state = state_of<SelectionState>(state);
    return absl::OkStatus();
  }

  // Inputs: upstream, x, state.
  absl::Status prepare(tensorflow::OpKernelContext* context, SelectGradCall& call) const {
    const tensorflow::Tensor& x = context->input(1);
    const tensorflow::Tensor& state = context->input(2);
    call.q_count = state.dims() == 2 ? state.dim_size(1) / kSelectionColumns : int64_t{0};
    call.geometry = selection_geometry(dimensions(x.shape()), options_);
    require_shape("state", dimensions(state.shape()),
                  {call.geometry.groups(), kSelectionColumns * call.q_count});
    require_upstream(dimensions(context->input(0).shape()), call.geometry, call.q_count);
    call.state = state_of<SelectionState>(state);
    return context->allocate_output(0, x.shape(), &call.gradient);
  }

  SelectionOptions options_;
};

}  // namespace tailops
