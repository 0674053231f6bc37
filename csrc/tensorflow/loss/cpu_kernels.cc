// The ops on the CPU: tensors in, kernels called, tensors out.

#include "tensorflow/loss/kernels.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/huge_pages.h"
#include "tensorflow/shared/register_kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;

template <typename T>
class TailLossOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  absl::Status compute(OpKernelContext* context) const override {
    ForwardCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    ask_for_huge_pages(call.loss->data(), call.loss->TotalBytes());
    CpuExecutor executor(context);
    tail_loss_forward(data_of<T>(*call.y_true), data_of<T>(*call.y_pred), call.mask, call.geometry,
                      call.options, data_of<T>(call.loss), state_of<GroupState>(call.state),
                      executor);
    return absl::OkStatus();
  }
};

template <typename T>
class TailLossGradOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  absl::Status compute(OpKernelContext* context) const override {
    BackwardCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    // An input's pages are there already.
    if (!call.is_over_input) ask_for_huge_pages(call.gradient->data(), call.gradient->TotalBytes());
    CpuExecutor executor(context);
    tail_loss_backward(data_of<T>(*call.upstream), data_of<T>(*call.y_true),
                       data_of<T>(*call.y_pred), call.mask, state_of<GroupState>(*call.state),
                       call.geometry, call.options, data_of<T>(call.gradient), executor);
    return absl::OkStatus();
  }
};

const bool registered = [] {
  register_floats<TailLossOp, TailLossGradOp>(kLossOps, tensorflow::DEVICE_CPU);
  return true;
}();

}  // namespace
}  // namespace tailops
