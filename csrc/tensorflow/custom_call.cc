#include "custom_call.h"

#include "attributes.h"
#include "kernels/tail_loss.h"
#include "selection_custom_call.h"
#include "tensorflow/core/platform/errors.h"
#include "xla/handlers.h"
#include "xla_api.h"

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

// The op's own texts, which read_attributes has found to be numbers and names: nothing to escape.
absl::StatusOr<std::string> text_entries(tensorflow::OpKernelConstruction* context) {
  std::string entries;
  for (const TextAttribute& attribute : text_attributes()) {
    std::string text;
    TF_RETURN_IF_ERROR(context->GetAttr(attribute.name, &text));
    entries += attribute.name + " = \"" + text + "\", ";
  }
  return entries;
}

std::string dictionary(const std::string& texts, const Attributes& attributes, size_t rank) {
  std::string entries = texts;
  if (attributes.axis) entries += int_entry(kAxisAttribute, *attributes.axis) + ", ";
  return "{" + entries + int_entry(kRankAttribute, static_cast<int64_t>(rank)) + "}";
}

Geometry geometry_of(const Attributes& attributes, const std::vector<int64_t>& y_true,
                     const std::vector<int64_t>& y_pred) {
  require_same_shape(y_true, y_pred);
  return make_geometry(y_pred, attributes.axis, attributes.reduction);
}

// What comes behind the other inputs, if anything does.
void require_mask(const Shapes& inputs, size_t others, const std::vector<int64_t>& shape) {
  if (inputs.size() == others) return;
  require_one_mask(static_cast<int64_t>(inputs.size() - others));
  require_shape("mask", inputs[others], shape);
}

Shapes forward_outputs(const Attributes& attributes, const Shapes& inputs) {
  const Geometry geometry = geometry_of(attributes, inputs[0], inputs[1]);
  require_mask(inputs, 2, inputs[1]);
  return {geometry.output_shape, {geometry.groups(), kStateColumns}};
}

Shapes backward_outputs(const Attributes& attributes, const Shapes& inputs) {
  const Geometry geometry = geometry_of(attributes, inputs[1], inputs[2]);
  require_shape("upstream", inputs[0], geometry.output_shape);
  require_shape("state", inputs[3], {geometry.groups(), kStateColumns});
  require_mask(inputs, 4, inputs[2]);
  return {inputs[2]};
}

}  // namespace

absl::StatusOr<Lowering> lowering_of(tensorflow::OpKernelConstruction* context) {
  if (is_selection(context->def().op())) return selection_lowering_of(context);
  Attributes attributes;
  TF_RETURN_IF_ERROR(read_attributes(context, attributes));
  const absl::StatusOr<std::string> texts = text_entries(context);
  TF_RETURN_IF_ERROR(texts.status());
  const std::string op = context->def().op();
  const bool is_forward = op == "Tailops>TailLoss";
  return [=, texts = *texts](const Shapes& inputs) -> absl::StatusOr<CustomCall> {
    CustomCall call;
    TF_RETURN_IF_ERROR(invalid_argument_if_thrown(op, [&] {
      call.target = is_forward ? kForwardTarget : kBackwardTarget;
      call.outputs = (is_forward ? forward_outputs : backward_outputs)(attributes, inputs);
      call.attributes = dictionary(texts, attributes, inputs[is_forward ? 1 : 2].size());
    }));
    return call;
  };
}

}  // namespace tailops
