// The ops on NVIDIA GPUs: tensors in, kernels launched, tensors out.

#include "cuda/loss/tail_loss.h"
#include "tensorflow/loss/kernels.h"
#include "tensorflow/shared/gpu_call.h"
#include "tensorflow/shared/register_kernels.h"

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

  absl::Status compute(OpKernelContext* context) const override {
    ForwardCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    const auto inputs = inputs_of<T>(call);
    const Options& options = call.options;
    const int64_t bytes = cuda::forward_workspace(inputs, call.geometry, options);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::forward(inputs, call.geometry, options, data_of<T>(call.loss),
                    state_of<GroupState>(call.state), workspace, stream_of(context));
    });
  }
};

template <typename T>
class TailLossGradOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  absl::Status compute(OpKernelContext* context) const override {
    BackwardCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    const auto inputs = inputs_of<T>(call);
    const Options& options = call.options;
    const int64_t bytes = cuda::backward_workspace(inputs, call.geometry, options);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::backward(inputs, data_of<T>(*call.upstream), state_of<GroupState>(*call.state),
                     call.geometry, options, data_of<T>(call.gradient), workspace,
                     stream_of(context));
    });
  }
};

const bool registered = [] {
  register_floats<TailLossOp, TailLossGradOp>(kLossOps, tensorflow::DEVICE_GPU);
  return true;
}();

}  // namespace
}  // namespace tailops
