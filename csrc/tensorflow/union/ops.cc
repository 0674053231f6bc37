// The ops of a loss's union: inputs, outputs, shapes.

#include "formulas/state.h"
#include "formulas/union_search.h"
#include "formulas/union_state.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/shared/attributes.h"
#include "tensorflow/shared/guarded_shape.h"
#include "tensorflow/shared/shapes.h"
#include "tensorflow/union/attributes.h"

namespace tailops {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status histogram_shape(InferenceContext* c) {
  ShapeHandle input, groups;
  DimensionHandle count;
  UnionRound round{};
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), c->input(1), &input));
  TF_RETURN_IF_ERROR(read_round(c, round));
  TF_RETURN_IF_ERROR(read_targets(c, round));
  TF_RETURN_IF_ERROR(group_shape(c, input, &groups, &count));
  c->set_output(0, c->Matrix(count, round.columns()));
  return absl::OkStatus();
}

// A row for each of the first input's.
template <int64_t kColumns>
absl::Status row_shape(InferenceContext* c) {
  ShapeHandle rows;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &rows));
  c->set_output(0, c->Matrix(c->Dim(rows, 0), kColumns));
  return require_step_numbers(c);
}

absl::Status loss_shape(InferenceContext* c) {
  ShapeHandle input;
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), c->input(1), &input));
  c->set_output(0, input);
  return require_step_numbers(c);
}

absl::Status remember_shape(InferenceContext* c) {
  ShapeHandle input, window, written;
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), c->input(1), &input));
  TF_RETURN_IF_ERROR(merge_mask(c, &input));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(2), 1, &window));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(3), 0, &written));
  c->set_output(0, window);
  c->set_output(1, written);
  return absl::OkStatus();
}

absl::Status slopes_shape(InferenceContext* c) {
  ShapeHandle input, groups;
  DimensionHandle count;
  TF_RETURN_IF_ERROR(c->Merge(c->input(1), c->input(2), &input));
  TF_RETURN_IF_ERROR(group_shape(c, input, &groups, &count));
  c->set_output(0, c->Matrix(count, kSlopeColumns));
  return require_step_numbers(c);
}

absl::Status gradient_shape(InferenceContext* c) {
  ShapeHandle input;
  TF_RETURN_IF_ERROR(c->Merge(c->input(1), c->input(2), &input));
  c->set_output(0, input);
  return require_step_numbers(c);
}

using tensorflow::InitOnStartupMarker;
using tensorflow::register_op::OpDefBuilderWrapper;

const InitOnStartupMarker register_histogram =
    InitOnStartupMarker{} << with_attributes(
        with_mask(OpDefBuilderWrapper(kUnionHistogramOp)
                      .Input("y_true: T")
                      .Input("y_pred: T")
                      .Input(kSearchInput))
            .Attr(kSearchAttribute)
            .Attr(kRoundAttribute)
            .Attr(kTargetsAttribute)
            .Output("counts: int64")
            .SetShapeFn(guarded_shape<histogram_shape>)
            .Doc("Of a share of a union, how often each digit of the round occurs in the errors of "
                 "each group. To be added up over all shares; then for UnionDescend."));

const InitOnStartupMarker register_descend =
    InitOnStartupMarker{} << with_attributes(
        with_step_numbers(
            OpDefBuilderWrapper(kUnionDescendOp).Input("counts: int64").Input(kSearchInput))
            .Attr(kSearchAttribute)
            .Attr(kRoundAttribute)
            .Output("found: int64")
            .SetShapeFn(guarded_shape<row_shape<kUnionColumns>>)
            .Doc("The search of each group after a round, from the counts of all shares."));

const InitOnStartupMarker register_state =
    InitOnStartupMarker{} << with_attributes(
        with_step_numbers(OpDefBuilderWrapper(kUnionStateOp).Input("search: int64"))
            .Output("state: double")
            .SetShapeFn(guarded_shape<row_shape<kStateColumns>>)
            .Doc(
                "The state of Tailops>TailLoss of the union, from a search after its last round."));

const InitOnStartupMarker register_loss =
    InitOnStartupMarker{} << with_attributes(
        with_mask(with_step_numbers(OpDefBuilderWrapper(kUnionTailLossOp)
                                        .Input("y_true: T")
                                        .Input("y_pred: T")
                                        .Input("state: double")))
            .Output("loss: T")
            .SetShapeFn(guarded_shape<loss_shape>)
            .Doc("The tail loss of each element of a share, with the union's state."));

const InitOnStartupMarker register_remember =
    InitOnStartupMarker{} << with_attributes(with_mask(OpDefBuilderWrapper(kRememberOp)
                                                           .Input("y_true: T")
                                                           .Input("y_pred: T")
                                                           .Input("window: W")
                                                           .Input("written: W"))
                                                 .Attr("W: {float, double}")
                                                 .Attr(kFrozenAttribute)
                                                 .Output("window_after: W")
                                                 .Output("written_after: W")
                                                 .SetShapeFn(guarded_shape<remember_shape>)
                                                 .Doc("A window of the last errors with those of a "
                                                      "batch in place of the oldest. W is double "
                                                      "where T is, else float."));

const InitOnStartupMarker register_slopes =
    InitOnStartupMarker{} << with_attributes(
        with_mask(with_step_numbers(OpDefBuilderWrapper(kUnionSlopesOp)
                                        .Input("upstream: T")
                                        .Input("y_true: T")
                                        .Input("y_pred: T")
                                        .Input("state: double")))
            .Output("slopes: double")
            .SetShapeFn(guarded_shape<slopes_shape>)
            .Doc("What a share adds to the gradient of each group's threshold. To be added up over "
                 "all shares; then for UnionTailLossGrad."));

const InitOnStartupMarker register_gradient =
    InitOnStartupMarker{} << with_attributes(
        with_mask(with_step_numbers(OpDefBuilderWrapper(kUnionTailLossGradOp)
                                        .Input("upstream: T")
                                        .Input("y_true: T")
                                        .Input("y_pred: T")
                                        .Input("state: double")
                                        .Input("slopes: slope_arrays * double")))
            .Attr("slope_arrays: int >= 0 = 0")
            .Output("y_pred_gradient: T")
            .SetShapeFn(guarded_shape<gradient_shape>)
            .Doc("The gradient of Tailops>UnionTailLoss by y_pred. `slopes`, none where the "
                 "threshold is held constant, are those of all shares."));

}  // namespace
}  // namespace tailops
