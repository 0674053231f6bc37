// The ops of a range mean's union: inputs, outputs, shapes.

#include "formulas/union_range.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/range_mean/attributes.h"
#include "tensorflow/shared/attributes.h"
#include "tensorflow/shared/guarded_shape.h"
#include "tensorflow/shared/shapes.h"
#include "tensorflow/union/attributes.h"

namespace tailops {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status descend_shape(InferenceContext* c) {
  ShapeHandle rows;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &rows));
  c->set_output(0, c->Matrix(c->Dim(rows, 0), kUnionColumns));
  return absl::OkStatus();
}

absl::Status sums_shape(InferenceContext* c) {
  ShapeHandle groups;
  DimensionHandle count;
  TF_RETURN_IF_ERROR(group_shape(c, c->input(0), &groups, &count));
  c->set_output(0, c->Matrix(count, kRangeSumColumns));
  return absl::OkStatus();
}

absl::Status mean_shape(InferenceContext* c) {
  ShapeHandle groups;
  DimensionHandle count;
  TF_RETURN_IF_ERROR(group_shape(c, c->input(0), &groups, &count));
  c->set_output(0, groups);
  c->set_output(1, c->Matrix(count, kRangeColumns));
  return absl::OkStatus();
}

absl::Status gradient_shape(InferenceContext* c) {
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

using tensorflow::InitOnStartupMarker;
using tensorflow::register_op::OpDefBuilderWrapper;

const InitOnStartupMarker register_descend =
    InitOnStartupMarker{} << with_range_attributes(
        OpDefBuilderWrapper(kUnionRangeDescendOp)
            .Input("counts: int64")
            .Input("bounds: double")
            .Input(kSearchInput)
            .Attr(kSearchAttribute)
            .Attr(kRoundAttribute)
            .Output("found: int64")
            .SetShapeFn(guarded_shape<descend_shape>)
            .Doc("As UnionDescend, to the ends of a range."));

const InitOnStartupMarker register_sums =
    InitOnStartupMarker{} << with_range_attributes(
        with_mask(OpDefBuilderWrapper(kUnionRangeSumsOp)
                      .Input("values: T")
                      .Input("bounds: double")
                      .Input("search: int64"))
            .Output("sums: double")
            .SetShapeFn(guarded_shape<sums_shape>)
            .Doc("What a share has between the ends of the union's range. To be added up over all "
                 "shares; then for UnionRangeMean."));

const InitOnStartupMarker register_mean =
    InitOnStartupMarker{} << with_range_attributes(
        OpDefBuilderWrapper(kUnionRangeMeanOp)
            .Input("values: T")
            .Input("bounds: double")
            .Input("search: int64")
            .Input("sums: double")
            .Output("mean: T")
            .Output("state: double")
            .SetShapeFn(guarded_shape<mean_shape>)
            .Doc("The union's range mean, from the sums of all shares, and the state for the "
                 "gradient op. Of `values` only the shape counts."));

const InitOnStartupMarker register_gradient =
    InitOnStartupMarker{} << with_range_attributes(
        with_mask(OpDefBuilderWrapper(kUnionRangeGradOp)
                      .Input("upstream: T")
                      .Input("values: T")
                      .Input("state: double"))
            .Output("gradient: T")
            .SetShapeFn(guarded_shape<gradient_shape>)
            .Doc("As Tailops>RangeMeanGrad, of a share, which may be empty. `upstream` is that of "
                 "all shares together."));

}  // namespace
}  // namespace tailops
