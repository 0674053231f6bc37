// The ops' definitions: inputs, outputs, shapes.

#include <string>

#include "cpu/loss/tail_loss.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/shared/attributes.h"
#include "tensorflow/shared/guarded_shape.h"
#include "tensorflow/shared/shapes.h"

namespace tailops {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status loss_shape(InferenceContext* c, ShapeHandle input, ShapeHandle* output) {
  std::string name;
  TF_RETURN_IF_ERROR(c->GetAttr("reduction", &name));
  switch (static_cast<Reduction>(index_of("reduction", name, reduction_names()))) {
    case Reduction::kNone:
      *output = input;
      return absl::OkStatus();
    case Reduction::kPerSample:
      if (!c->RankKnown(input)) {
        *output = c->UnknownShape();
        return absl::OkStatus();
      }
      if (c->Rank(input) < 2) {
        *output = input;
        return absl::OkStatus();
      }
      return c->Subshape(input, 0, -1, output);
    case Reduction::kMean:
    case Reduction::kSum:
      *output = c->Scalar();
      return absl::OkStatus();
  }
  return absl::InternalError("unhandled reduction " + name);
}

absl::Status forward_shape(InferenceContext* c) {
  ShapeHandle input, loss, groups;
  DimensionHandle count;
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), c->input(1), &input));
  TF_RETURN_IF_ERROR(merge_mask(c, &input));
  TF_RETURN_IF_ERROR(loss_shape(c, input, &loss));
  TF_RETURN_IF_ERROR(group_shape(c, input, &groups, &count));
  c->set_output(0, loss);
  c->set_output(1, c->Matrix(count, kStateColumns));
  return require_step_numbers(c);
}

absl::Status backward_shape(InferenceContext* c) {
  ShapeHandle input, loss, merged;
  TF_RETURN_IF_ERROR(c->Merge(c->input(1), c->input(2), &input));
  TF_RETURN_IF_ERROR(merge_mask(c, &input));
  TF_RETURN_IF_ERROR(loss_shape(c, input, &loss));
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), loss, &merged));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(3), 2, &merged));
  c->set_output(0, input);
  return require_step_numbers(c);
}

using tensorflow::InitOnStartupMarker;
using tensorflow::register_op::OpDefBuilderWrapper;

// What REGISTER_OP expands to, with the shared attributes added.
const InitOnStartupMarker register_forward =
    InitOnStartupMarker{} << with_attributes(
        with_mask(with_step_numbers(
                      OpDefBuilderWrapper(kLossOps.op).Input("y_true: T").Input("y_pred: T")))
            .Output("loss: T")
            .Output("state: double")
            .SetShapeFn(guarded_shape<forward_shape>)
            .Doc("The fused tail loss. `state` has a row per group, for the gradient op. `mask`, "
                 "none or one, is true where an element counts. `numbers`, none or one, are "
                 "percentile, smoothing_factor and error_scale in place of the attributes."));

const InitOnStartupMarker register_backward =
    InitOnStartupMarker{} << with_attributes(
        with_mask(with_step_numbers(OpDefBuilderWrapper(kLossOps.gradient)
                                        .Input("upstream: T")
                                        .Input("y_true: T")
                                        .Input("y_pred: T")
                                        .Input("state: double")))
            .Output("y_pred_gradient: T")
            .SetShapeFn(guarded_shape<backward_shape>)
            .Doc("The gradient of Tailops>TailLoss by y_pred. By y_true, where it is read, it is "
                 "the negative."));

}  // namespace
}  // namespace tailops
