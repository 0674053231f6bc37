// The ops on NVIDIA GPUs: tensors in, kernels launched, tensors out.

#include "gpu_call.h"
#include "kernels.h"
#include "kernels/cuda/tail_loss.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

template <typename T, typename Call>
cuda::Inputs<KernelType<T>> inputs_of(const Call& call) {
  return {data_of<T>(*call.y_true), data_of<T>(*call.y_pred), call.mask};
}

template <typename T>
class TailLossOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    ForwardCall call;
    OP_REQUIRES_OK(context, begin(context, call));
    const auto inputs = inputs_of<T>(call);
    const Options& options = attributes_.options;
    OP_REQUIRES_OK(context, internal_if_thrown([&] {
                     const int64_t bytes = cuda::forward_workspace(inputs, call.geometry, options);
                     return with_workspace(context, bytes, [&](void* workspace) {
                       cuda::forward(inputs, call.geometry, options, data_of<T>(call.loss),
                                     state_of(call.state), workspace, stream_of(context));
                     });
                   }));
  }
};

template <typename T>
class TailLossGradOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    BackwardCall call;
    OP_REQUIRES_OK(context, begin(context, call));
    const auto inputs = inputs_of<T>(call);
    const Options& options = attributes_.options;
    OP_REQUIRES_OK(context, internal_if_thrown([&] {
                     const int64_t bytes = cuda::backward_workspace(inputs, call.geometry, options);
                     return with_workspace(context, bytes, [&](void* workspace) {
                       cuda::backward(inputs, data_of<T>(*call.upstream), state_of(*call.state),
                                      call.geometry, options, data_of<T>(call.gradient), workspace,
                                      stream_of(context));
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
