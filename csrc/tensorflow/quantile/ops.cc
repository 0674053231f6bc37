// The selection ops: definitions, and kernels for the CPU.

#include <vector>

#include "core/element_types.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/quantile/attributes.h"
#include "tensorflow/quantile/kernels.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/guarded_shape.h"
#include "tensorflow/shared/huge_pages.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::register_kernel::Name;
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
            .Attr(type_attribute(true))
            .SetShapeFn(guarded_shape<forward_shape>)
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
                                                      .Attr(type_attribute(false))
                                                      .SetShapeFn(guarded_shape<backward_shape>)
                                                      .Doc("The gradient of Tailops>Select by x."));

template <typename T>
class SelectOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  absl::Status compute(OpKernelContext* context) const override {
    SelectCall call;
    TF_RETURN_IF_ERROR(prepare(context, call));
    CpuExecutor executor(context);
    select_forward(data_of<T>(context->input(0)), call.geometry, options_, call.q, call.q_count,
                   data_of<T>(call.value), call.state, executor);
    return absl::OkStatus();
  }
};

template <typename T>
class SelectGradOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  absl::Status compute(OpKernelContext* context) const override {
    SelectGradCall call;
    TF_RETURN_IF_ERROR(prepare(context, call));
    ask_for_huge_pages(call.gradient->data(), call.gradient->TotalBytes());
    CpuExecutor executor(context);
    select_backward(data_of<T>(context->input(0)), data_of<T>(context->input(1)), call.state,
                    call.geometry, call.q_count, data_of<T>(call.gradient), executor);
    return absl::OkStatus();
  }
};

template <typename T>
void register_select() {
  register_kernel<SelectOp<T>>(
      Name(kSelectOp).Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"));
}

template <typename T>
void register_both() {
  register_select<T>();
  register_kernel<SelectGradOp<T>>(
      Name(kSelectGradOp).Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"));
}

const bool registered = [] {
#define TAILOPS_REGISTER(T, ...) register_both<TensorType<T>>();
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
#define TAILOPS_FORWARD(T, ...) register_select<T>();
  TAILOPS_INTEGERS(TAILOPS_FORWARD)
#undef TAILOPS_FORWARD
  return true;
}();

}  // namespace
}  // namespace tailops
