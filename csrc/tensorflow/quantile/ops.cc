// The selection ops' definitions: inputs, outputs, shapes.

#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/quantile/attributes.h"
#include "tensorflow/shared/attributes.h"
#include "tensorflow/shared/guarded_shape.h"
#include "tensorflow/shared/kernel_types.h"
#include "tensorflow/shared/shapes.h"

namespace tailops {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status forward_shape(InferenceContext* c) {
  ShapeHandle x = c->input(0), q, groups, value;
  DimensionHandle count, columns;
  TF_RETURN_IF_ERROR(c->WithRankAtMost(c->input(1), 1, &q));
  TF_RETURN_IF_ERROR(merge_weights(c, &x));
  TF_RETURN_IF_ERROR(group_shape(c, x, &groups, &count));
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
        with_weights_input(OpDefBuilderWrapper(kSelectOps.op).Input("x: T").Input("q: double"))
            .Output("value: T")
            .Output("state: double")
            .Attr(type_attribute(true))
            .SetShapeFn(guarded_shape<forward_shape>)
            .Doc("Quantiles of x along an axis, or elements of rank q, for a scalar q or every "
                 "entry of "
                 "a vector, which is then the first dimension of `value`. `state` has a row per "
                 "group, for the gradient op. `weights`, none or one array like x, are how much "
                 "each element counts; the gradient is then to be multiplied by them."));

const InitOnStartupMarker register_backward = InitOnStartupMarker{} << with_selection_attributes(
                                                  OpDefBuilderWrapper(kSelectOps.gradient)
                                                      .Input("upstream: T")
                                                      .Input("x: T")
                                                      .Input("state: double")
                                                      .Output("gradient: T")
                                                      .Attr(type_attribute(false))
                                                      .SetShapeFn(guarded_shape<backward_shape>)
                                                      .Doc("The gradient of Tailops>Select by x."));

}  // namespace
}  // namespace tailops
