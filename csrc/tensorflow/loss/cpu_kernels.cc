// The ops on the CPU: tensors in, kernels called, tensors out.

#include "tensorflow/loss/kernels.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/huge_pages.h"

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
                      attributes_.options, data_of<T>(call.loss), state_of(call.state), executor);
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
                       data_of<T>(*call.y_pred), call.mask, state_of(*call.state), call.geometry,
                       attributes_.options, data_of<T>(call.gradient), executor);
    return absl::OkStatus();
  }
};

template <typename T>
void register_kernels() {
  using tensorflow::register_kernel::Name;
  register_kernel<TailLossOp<T>>(
      Name("Tailops>TailLoss").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"));
  register_kernel<TailLossGradOp<T>>(
      Name("Tailops>TailLossGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"));
}

const bool registered = [] {
#define TAILOPS_REGISTER(T, ...) register_kernels<TensorType<T>>();
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
  return true;
}();

}  // namespace
}  // namespace tailops
