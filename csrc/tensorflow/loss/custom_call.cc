#include "tensorflow/loss/custom_call.h"

#include "call/geometry.h"
#include "formulas/state.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/shared/mlir_dictionary.h"
#include "tensorflow/shared/xla_api.h"
#include "xla/loss/handlers.h"

namespace tailops {
namespace {

XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kForwardTarget, "Host", tailops_tail_loss_host);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kBackwardTarget, "Host",
                         tailops_tail_loss_grad_host);
#if defined(TAILOPS_HAS_CUDA)
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kForwardTarget, "CUDA", tailops_tail_loss_cuda);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kBackwardTarget, "CUDA",
                         tailops_tail_loss_grad_cuda);
#endif

std::string dictionary(const Attributes& attributes, int64_t scheduled, size_t rank) {
  std::vector<CallAttribute> entries = call_attributes(attributes);
  entries.emplace_back(kRankAttribute, static_cast<int64_t>(rank));
  entries.emplace_back(kScheduledAttribute, scheduled);
  return mlir_dictionary(entries);
}

Geometry geometry_of(const Attributes& attributes, const std::vector<int64_t>& y_true,
                     const std::vector<int64_t>& y_pred) {
  require_same_shape(y_true, y_pred);
  return make_geometry(y_pred, attributes.axis, attributes.reduction);
}

Shapes forward_outputs(const Attributes& attributes, int64_t scheduled, const Shapes& inputs) {
  const Geometry geometry = geometry_of(attributes, inputs[0], inputs[1]);
  require_numbers_and_mask(inputs, 2, scheduled, inputs[1]);
  return {geometry.output_shape, {geometry.groups(), kStateColumns}};
}

Shapes backward_outputs(const Attributes& attributes, int64_t scheduled, const Shapes& inputs) {
  const Geometry geometry = geometry_of(attributes, inputs[1], inputs[2]);
  require_shape("upstream", inputs[0], geometry.output_shape);
  require_shape("state", inputs[3], {geometry.groups(), kStateColumns});
  require_numbers_and_mask(inputs, 4, scheduled, inputs[2]);
  return {inputs[2]};
}

}  // namespace

void require_numbers_and_mask(const Shapes& inputs, size_t others, int64_t scheduled,
                              const std::vector<int64_t>& shape) {
  if (scheduled != 0) {
    require_one(kStepNumbersInput, scheduled);
    require_shape(kStepNumbersInput, inputs[others], {kStepNumbers});
  }
  require_mask(inputs, others + static_cast<size_t>(scheduled), shape);
}

absl::StatusOr<Lowering> loss_lowering_of(tensorflow::OpKernelConstruction* context) {
  Attributes attributes;
  TF_RETURN_IF_ERROR(read_attributes(context, attributes));
  int64_t scheduled = 0;
  TF_RETURN_IF_ERROR(context->GetAttr(kStepNumbersCount, &scheduled));
  const bool is_forward = context->def().op() == kLossOps.op;
  return [=](const Shapes& inputs) -> CustomCall {
    return {is_forward ? kForwardTarget : kBackwardTarget,
            dictionary(attributes, scheduled, inputs[is_forward ? 1 : 2].size()),
            (is_forward ? forward_outputs : backward_outputs)(attributes, scheduled, inputs)};
  };
}

}  // namespace tailops
