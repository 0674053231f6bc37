// The ops on the CPU: tensors in, kernels called, tensors out.

#include "cpu_executor.h"
#include "huge_pages.h"
#include "kernels.h"

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
    CpuExecutor executor(context);
    tail_loss_forward(data_of<T>(y_true), data_of<T>(y_pred), mask, geometry, attributes_.options,
                      data_of<T>(loss), state_of(state), executor);
  }
};

template <typename T>
class TailLossGradOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    Geometry geometry;
    OP_REQUIRES_OK(context, find_geometry(context, geometry));
    const Tensor& y_pred = context->input(2);

    const bool* mask;
    OP_REQUIRES_OK(context, find_mask(context, y_pred, mask));

    Tensor* gradient = nullptr;
    // Over an input that nobody else needs: its pages are there already.
    int forwarded = -1;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({2, 1}, 0, y_pred.shape(),
                                                                      &gradient, &forwarded));
    if (forwarded < 0) ask_for_huge_pages(gradient->data(), gradient->TotalBytes());
    CpuExecutor executor(context);
    tail_loss_backward(data_of<T>(context->input(0)), data_of<T>(context->input(1)),
                       data_of<T>(y_pred), mask, state_of(context->input(3)), geometry,
                       attributes_.options, data_of<T>(gradient), executor);
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
