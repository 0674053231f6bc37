// The selection ops: definitions, and kernels for the CPU.

#include <vector>

#include "attributes.h"
#include "cpu_executor.h"
#include "huge_pages.h"
#include "kernel_types.h"
#include "selection_attributes.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"

namespace tailops {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

// The shape without the axis, and the number of groups, as far as they are known.
absl::Status group_shape(InferenceContext* c, ShapeHandle x, ShapeHandle* groups,
                         DimensionHandle* count) {
  std::vector<int64_t> axis;
  TF_RETURN_IF_ERROR(c->GetAttr("axis", &axis));
  if (axis.empty()) {
    *groups = c->Scalar();
    *count = c->MakeDim(1);
    return absl::OkStatus();
  }
  *groups = c->UnknownShape();
  *count = c->UnknownDim();
  if (!c->RankKnown(x)) return absl::OkStatus();
  const int64_t rank = c->Rank(x), along = axis[0] < 0 ? axis[0] + rank : axis[0];
  if (along < 0 || along >= rank) {
    return absl::InvalidArgumentError("axis=" + std::to_string(axis[0]) + ": must be in [" +
                                      std::to_string(-rank) + ", " + std::to_string(rank) +
                                      ") for an input of shape " + c->DebugString(x));
  }
  ShapeHandle before, after;
  TF_RETURN_IF_ERROR(c->Subshape(x, 0, along, &before));
  TF_RETURN_IF_ERROR(c->Subshape(x, along + 1, &after));
  TF_RETURN_IF_ERROR(c->Concatenate(before, after, groups));
  *count = c->MakeDim(1);
  for (int i = 0; i < c->Rank(*groups); ++i) {
    TF_RETURN_IF_ERROR(c->Multiply(*count, c->Dim(*groups, i), count));
  }
  return absl::OkStatus();
}

absl::Status forward_shape(InferenceContext* c) {
  ShapeHandle q, groups, value;
  DimensionHandle count, columns;
  TF_RETURN_IF_ERROR(c->WithRankAtMost(c->input(1), 1, &q));
  TF_RETURN_IF_ERROR(group_shape(c, c->input(0), &groups, &count));
  TF_RETURN_IF_ERROR(c->Concatenate(q, groups, &value));
  DimensionHandle quantiles = c->UnknownDim();
  if (c->RankKnown(q)) quantiles = c->Rank(q) == 1 ? c->Dim(q, 0) : c->MakeDim(1);
  TF_RETURN_IF_ERROR(c->Multiply(quantiles, kSelectionColumns, &columns));
  c->set_output(0, value);
  c->set_output(1, c->Matrix(count, columns));
  return absl::OkStatus();
}

absl::Status backward_shape(InferenceContext* c) {
  ShapeHandle state;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(2), 2, &state));
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

using tensorflow::InitOnStartupMarker;
using tensorflow::register_op::OpDefBuilderWrapper;

const InitOnStartupMarker register_forward =
    InitOnStartupMarker{} << with_selection_attributes(
        OpDefBuilderWrapper(kSelectOp)
            .Input("x: T")
            .Input("q: double")
            .Output("value: T")
            .Output("state: double")
            .Attr("T: {half, bfloat16, float, double, int8, int16, int32, int64, uint8, uint16, "
                  "uint32, uint64}")
            .SetShapeFn(forward_shape)
            .Doc("Quantiles of x along an axis, or elements of rank q, for a scalar q or every "
                 "entry of "
                 "a vector, which is then the first dimension of `value`. `state` has a row per "
                 "group, for the gradient op."));

const InitOnStartupMarker register_backward = InitOnStartupMarker{} << with_selection_attributes(
                                                  OpDefBuilderWrapper(kSelectGradOp)
                                                      .Input("upstream: T")
                                                      .Input("x: T")
                                                      .Input("state: double")
                                                      .Output("gradient: T")
                                                      .Attr("T: {half, bfloat16, float, double}")
                                                      .SetShapeFn(backward_shape)
                                                      .Doc("The gradient of Tailops>Select by x."));

class SelectionOp : public OpKernel {
 public:
  explicit SelectionOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, read_selection_attributes(context, options_));
  }

 protected:
  absl::Status find_geometry(const Tensor& x, SelectionGeometry& geometry) const {
    return invalid_argument_if_thrown(
        type_string(), [&] { geometry = selection_geometry(dimensions(x.shape()), options_); });
  }

  SelectionOptions options_;
};

template <typename T>
class SelectOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& q = context->input(1);
    SelectionGeometry geometry;
    OP_REQUIRES_OK(context, find_geometry(x, geometry));
    OP_REQUIRES(
        context, q.dims() <= 1,
        absl::InvalidArgumentError(type_string() + ": q of shape " + q.shape().DebugString() +
                                   ": must be a scalar or a vector"));
    const int64_t count = q.NumElements();
    const TensorShape shape(value_shape(dimensions(q.shape()), geometry));
    Tensor* value = nullptr;
    Tensor* state = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &value));
    OP_REQUIRES_OK(context,
                   context->allocate_output(
                       1, TensorShape({geometry.groups(), kSelectionColumns * count}), &state));
    CpuExecutor executor(context);
    OP_REQUIRES_OK(context, invalid_argument_if_thrown(type_string(), [&] {
                     select_forward(data_of<T>(x), geometry, options_, q.flat<double>().data(),
                                    count, data_of<T>(value),
                                    reinterpret_cast<SelectionState*>(state->flat<double>().data()),
                                    executor);
                   }));
  }
};

template <typename T>
class SelectGradOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  void Compute(OpKernelContext* context) override {
    const Tensor& upstream = context->input(0);
    const Tensor& x = context->input(1);
    const Tensor& state = context->input(2);
    SelectionGeometry geometry;
    OP_REQUIRES_OK(context, find_geometry(x, geometry));
    const int64_t count = state.dims() == 2 ? state.dim_size(1) / kSelectionColumns : int64_t{0};
    OP_REQUIRES_OK(context, invalid_argument_if_thrown(type_string(), [&] {
                     require_shape("state", dimensions(state.shape()),
                                   {geometry.groups(), kSelectionColumns * count});
                     require_upstream(dimensions(upstream.shape()), geometry, count);
                   }));
    Tensor* gradient = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &gradient));
    ask_for_huge_pages(gradient->data(), gradient->TotalBytes());
    CpuExecutor executor(context);
    select_backward(data_of<T>(upstream), data_of<T>(x),
                    reinterpret_cast<const SelectionState*>(state.flat<double>().data()), geometry,
                    count, data_of<T>(gradient), executor);
  }
};

#define TAILOPS_FORWARD(T)                                                                       \
  REGISTER_KERNEL_BUILDER(Name(kSelectOp).Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          SelectOp<T>);
#define TAILOPS_BOTH(T)    \
  TAILOPS_FORWARD(T)       \
  REGISTER_KERNEL_BUILDER( \
      Name(kSelectGradOp).Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), SelectGradOp<T>);
TAILOPS_BOTH(float)
TAILOPS_BOTH(double)
TAILOPS_BOTH(Eigen::half)
TAILOPS_BOTH(Eigen::bfloat16)
TAILOPS_FORWARD(int8_t)
TAILOPS_FORWARD(int16_t)
TAILOPS_FORWARD(int32_t)
TAILOPS_FORWARD(int64_t)
TAILOPS_FORWARD(uint8_t)
TAILOPS_FORWARD(uint16_t)
TAILOPS_FORWARD(uint32_t)
TAILOPS_FORWARD(uint64_t)
#undef TAILOPS_BOTH
#undef TAILOPS_FORWARD

}  // namespace
}  // namespace tailops
