// The ops on the CPU: tensors in, kernels called, tensors out.

#include <vector>

#include "attributes.h"
#include "cpu_executor.h"
#include "huge_pages.h"
#include "kernel_types.h"
#include "kernels/tail_loss.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"

namespace tailops {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

class TailLossBase : public OpKernel {
 public:
  explicit TailLossBase(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, read_attributes(context, attributes_));
  }

 protected:
  absl::Status find_geometry(const Tensor& y_true, const Tensor& y_pred, Geometry& geometry) const {
    const std::vector<int64_t> shape = dimensions(y_pred.shape());
    return invalid_argument_if_thrown(type_string(), [&] {
      require_same_shape(dimensions(y_true.shape()), shape);
      geometry = make_geometry(shape, attributes_.axis, attributes_.reduction);
    });
  }

  Attributes attributes_;
};

template <typename T>
class TailLossOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    const Tensor& y_true = context->input(0);
    const Tensor& y_pred = context->input(1);
    Geometry geometry;
    OP_REQUIRES_OK(context, find_geometry(y_true, y_pred, geometry));

    Tensor* loss = nullptr;
    Tensor* state = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape(geometry.output_shape), &loss));
    OP_REQUIRES_OK(context, context->allocate_output(
                                1, TensorShape({geometry.groups(), kStateColumns}), &state));
    CpuExecutor executor(context);
    tail_loss_forward(data_of<T>(y_true), data_of<T>(y_pred), geometry, attributes_.options,
                      data_of<T>(loss), reinterpret_cast<GroupState*>(state->flat<double>().data()),
                      executor);
  }
};

template <typename T>
class TailLossGradOp final : public TailLossBase {
 public:
  using TailLossBase::TailLossBase;

  void Compute(OpKernelContext* context) override {
    const Tensor& upstream = context->input(0);
    const Tensor& y_true = context->input(1);
    const Tensor& y_pred = context->input(2);
    const Tensor& state = context->input(3);
    Geometry geometry;
    OP_REQUIRES_OK(context, find_geometry(y_true, y_pred, geometry));
    OP_REQUIRES_OK(context, invalid_argument_if_thrown(type_string(), [&] {
                     require_shape("upstream", dimensions(upstream.shape()), geometry.output_shape);
                     require_shape("state", dimensions(state.shape()),
                                   {geometry.groups(), kStateColumns});
                   }));

    Tensor* gradient = nullptr;
    // Over an input that nobody else needs: its pages are there already.
    int forwarded = -1;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({2, 1}, 0, y_pred.shape(),
                                                                      &gradient, &forwarded));
    if (forwarded < 0) ask_for_huge_pages(gradient->data(), gradient->TotalBytes());
    CpuExecutor executor(context);
    tail_loss_backward(data_of<T>(upstream), data_of<T>(y_true), data_of<T>(y_pred),
                       reinterpret_cast<const GroupState*>(state.flat<double>().data()), geometry,
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
