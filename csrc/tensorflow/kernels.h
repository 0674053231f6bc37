#pragma once

// What the loss's kernels on every device share: the shapes of a call, checked.

#include "attributes.h"
#include "kernel_types.h"
#include "kernels/tail_loss.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"

namespace tailops {

inline GroupState* state_of(tensorflow::Tensor* tensor) {
  return reinterpret_cast<GroupState*>(tensor->flat<double>().data());
}

inline const GroupState* state_of(const tensorflow::Tensor& tensor) {
  return reinterpret_cast<const GroupState*>(tensor.flat<double>().data());
}

class TailLossBase : public tensorflow::OpKernel {
 public:
  explicit TailLossBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, read_attributes(context, attributes_));
  }

 protected:
  // Of the forward pass, whose inputs are y_true and y_pred.
  absl::Status find_geometry(const tensorflow::Tensor& y_true, const tensorflow::Tensor& y_pred,
                             Geometry& geometry) const {
    const std::vector<int64_t> shape = dimensions(y_pred.shape());
    return invalid_argument_if_thrown(type_string(), [&] {
      require_same_shape(dimensions(y_true.shape()), shape);
      geometry = make_geometry(shape, attributes_.axis, attributes_.reduction);
    });
  }

  absl::Status allocate_outputs(tensorflow::OpKernelContext* context, const Geometry& geometry,
                                tensorflow::Tensor*& loss, tensorflow::Tensor*& state) const {
    using tensorflow::TensorShape;
    TF_RETURN_IF_ERROR(context->allocate_output(0, TensorShape(geometry.output_shape), &loss));
    return context->allocate_output(1, TensorShape({geometry.groups(), kStateColumns}), &state);
  }

  // Null where there is none.
  absl::Status find_mask(tensorflow::OpKernelContext* context, const tensorflow::Tensor& y_pred,
                         const bool*& mask) const {
    tensorflow::OpInputList masks;
    TF_RETURN_IF_ERROR(context->input_list("mask", &masks));
    mask = nullptr;
    if (masks.size() == 0) return absl::OkStatus();
    return invalid_argument_if_thrown(type_string(), [&] {
      require_one_mask(masks.size());
      require_shape("mask", dimensions(masks[0].shape()), dimensions(y_pred.shape()));
      mask = masks[0].flat<bool>().data();
    });
  }

  // Of the backward pass: upstream, y_true, y_pred, state.
  absl::Status find_geometry(tensorflow::OpKernelContext* context, Geometry& geometry) const {
    TF_RETURN_IF_ERROR(find_geometry(context->input(1), context->input(2), geometry));
    return invalid_argument_if_thrown(type_string(), [&] {
      require_shape("upstream", dimensions(context->input(0).shape()), geometry.output_shape);
      require_shape("state", dimensions(context->input(3).shape()),
                    {geometry.groups(), kStateColumns});
    });
  }

  Attributes attributes_;
};

}  // namespace tailops
