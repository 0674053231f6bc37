// The range mean's ops: inputs, outputs, shapes.

#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/range_mean/attributes.h"
#include "tensorflow/shared/attributes.h"
#include "tensorflow/shared/guarded_shape.h"
#include "tensorflow/shared/shapes.h"

namespace tailops {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status forward_shape(InferenceContext* c) {
  ShapeHandle values = c->input(0), bounds, groups;
  DimensionHandle count, two;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 1, &bounds));
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(bounds, 0), 2, &two));
  TF_RETURN_IF_ERROR(merge_mask(c, &values));
  TF_RETURN_IF_ERROR(merge_weights(c, &values));
  TF_RETURN_IF_ERROR(group_shape(c, values, &groups, &count));
  c->set_output(0, groups);
  c->set_output(1, c->Matrix(count, kRangeColumns));
  return absl::OkStatus();
}

absl::Status backward_shape(InferenceContext* c) {
  ShapeHandle values = c->input(1), groups, state, merged;
  DimensionHandle count;
  TF_RETURN_IF_ERROR(merge_mask(c, &values));
  TF_RETURN_IF_ERROR(group_shape(c, values, &groups, &count));
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), groups, &merged));
  TF_RETURN_IF_ERROR(c->Merge(c->input(2), c->Matrix(count, kRangeColumns), &state));
  c->set_output(0, values);
  return absl::OkStatus();
}

using tensorflow::InitOnStartupMarker;
using tensorflow::register_op::OpDefBuilderWrapper;

const InitOnStartupMarker register_forward =
    InitOnStartupMarker{} << with_range_attributes(
        with_weights_input(
            with_mask(
                OpDefBuilderWrapper(kRangeMeanOps.op).Input("values: T").Input("bounds: double")))
            .Output("mean: T")
            .Output("state: double")
            .SetShapeFn(guarded_shape<forward_shape>)
            .Doc("The mean of each group's values between two places of their order. `bounds` are "
                 "two numbers, whose meaning `kind` says. `state` has a row per group, for the "
                 "gradient op. `mask`, none or one, is true where an element counts. `weights`, "
                 "none or one array like values, instead of a mask, are how much each counts; the "
                 "gradient is then to be multiplied by them."));

const InitOnStartupMarker register_backward =
    InitOnStartupMarker{} << with_range_attributes(
        with_mask(OpDefBuilderWrapper(kRangeMeanOps.gradient)
                      .Input("upstream: T")
                      .Input("values: T")
                      .Input("state: double"))
            .Output("gradient: T")
            .SetShapeFn(guarded_shape<backward_shape>)
            .Doc("The gradient of Tailops>RangeMean by values."));

}  // namespace
}  // namespace tailops
