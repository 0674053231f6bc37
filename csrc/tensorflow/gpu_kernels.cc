// The ops on NVIDIA GPUs: tensors in, kernels launched, tensors out.

#include "gpu_call.h"
#include "kernels.h"
#include "kernels/cuda/tail_loss.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

template <typename T>
class TailLossOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    const Tensor& y_true = context->input(0);
    const Tensor& y_pred = context->input(1);
    Geometry geometry;
    OP_REQUIRES_OK(context, find_geometry(y_true, y_pred, geometry));
    const bool* mask;
    OP_REQUIRES_OK(context, find_mask(context, y_pred, mask));
    Tensor* loss = nullptr;
    Tensor* state = nullptr;
    OP_REQUIRES_OK(context, allocate_outputs(context, geometry, loss, state));
    const cuda::Inputs<KernelType<T>> inputs{data_of<T>(y_true), data_of<T>(y_pred), mask};
    const Options& options = attributes_.options;
    OP_REQUIRES_OK(context, internal_if_thrown([&] {
                     const int64_t bytes = cuda::forward_workspace(inputs, geometry, options);
                     return with_workspace(context, bytes, [&](void* workspace) {
                       cuda::forward(inputs, geometry, options, data_of<T>(loss), state_of(state),
                                     workspace, stream_of(context));
                     });
                   }));
  }
};

template <typename T>
class TailLossGradOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    Geometry geometry;
    OP_REQUIRES_OK(context, find_geometry(context, geometry));
    const Tensor& y_true = context->input(1);
    const Tensor& y_pred = context->input(2);
    const bool* mask;
    OP_REQUIRES_OK(context, find_mask(context, y_pred, mask));
    Tensor* gradient = nullptr;
    OP_REQUIRES_OK(context,
                   context->forward_input_or_allocate_output({2, 1}, 0, y_pred.shape(), &gradient));
    const cuda::Inputs<KernelType<T>> inputs{data_of<T>(y_true), data_of<T>(y_pred), mask};
    const Options& options = attributes_.options;
    OP_REQUIRES_OK(context, internal_if_thrown([&] {
                     const int64_t bytes = cuda::backward_workspace(inputs, geometry, options);
                     return with_workspace(context, bytes, [&](void* workspace) {
                       cuda::backward(inputs, data_of<T>(context->input(0)),
                                      state_of(context->input(3)), geometry, options,
                                      data_of<T>(gradient), workspace, stream_of(context));
                     });
                   }));
  }
};

#define TAILOPS_REGISTER(T)                                                               \
  REGISTER_KERNEL_BUILDER(                                                                \
      Name("Tailops>TailLoss").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),     \
      TailLossOp<T>);                                                                     \
  REGISTER_KERNEL_BUILDER(                                                                \
      Name("Tailops>TailLossGrad").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"), \
      TailLossGradOp<T>);
TAILOPS_REGISTER(float)
TAILOPS_REGISTER(double)
TAILOPS_REGISTER(Eigen::half)
TAILOPS_REGISTER(Eigen::bfloat16)
#undef TAILOPS_REGISTER

}  // namespace
}  // namespace tailops
