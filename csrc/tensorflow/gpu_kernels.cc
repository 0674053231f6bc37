// The ops on NVIDIA GPUs: tensors in, kernels launched, tensors out. No CUDA header: the stream is
// a pointer, and what CUDA needs is inside libtailops_cuda.

#include <stdexcept>

#include "kernels.h"
#include "kernels/cuda/tail_loss.h"
#include "xla/stream_executor/stream.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

void* stream_of(OpKernelContext* context) {
  return context->op_device_context()->stream()->platform_specific_handle().stream;
}

// body(workspace) with so many bytes of it, which the device's allocator hands out in the order of
// the stream.
template <typename Body>
absl::Status with_workspace(OpKernelContext* context, int64_t bytes, const Body& body) {
  Tensor workspace;
  TF_RETURN_IF_ERROR(
      context->allocate_temp(tensorflow::DT_UINT8, tensorflow::TensorShape({bytes}), &workspace));
  body(workspace.data());
  return absl::OkStatus();
}

template <typename Body>
absl::Status internal_if_thrown(const Body& body) {
  try {
    return body();
  } catch (const std::runtime_error& problem) {
    return absl::InternalError(problem.what());
  }
}

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
