// The ops on the CPU: tensors in, kernels called, tensors out.

#include "cpu_executor.h"
#include "huge_pages.h"
#include "kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;

template <typename T>
class TailLossOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    ForwardCall call;
    OP_REQUIRES_OK(context, begin(context, call));
    ask_for_huge_pages(call.loss->data(), call.loss->TotalBytes());
    CpuExecutor executor(context);
    tail_loss_forward(data_of<T>(*call.y_true), data_of<T>(*call.y_pred), call.mask, call.geometry,
                      attributes_.options, data_of<T>(call.loss), state_of(call.state), executor);
  }
};

template <typename T>
class TailLossGradOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    BackwardCall call;
    OP_REQUIRES_OK(context, begin(context, call));
    // An input's pages are there already.
    if (!call.is_over_input) ask_for_huge_pages(call.gradient->data(), call.gradient->TotalBytes());
    CpuExecutor executor(context);
    tail_loss_backward(data_of<T>(*call.upstream), data_of<T>(*call.y_true),
                       data_of<T>(*call.y_pred), call.mask, state_of(*call.state), call.geometry,
                       attributes_.options, data_of<T>(call.gradient), executor);
  }
};

#define TAILOPS_REGISTER(T)                                                               \
  REGISTER_KERNEL_BUILDER(                                                                \
      Name("Tailops>TailLoss").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),     \
      TailLossOp<T>);                                                                     \
  REGISTER_KERNEL_BUILDER(                                                                \
      Name("Tailops>TailLossGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
      TailLossGradOp<T>);
TAILOPS_REGISTER(float)
TAILOPS_REGISTER(double)
TAILOPS_REGISTER(Eigen::half)
TAILOPS_REGISTER(Eigen::bfloat16)
#undef TAILOPS_REGISTER

}  // namespace
}  // namespace tailops
