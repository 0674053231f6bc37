#include "tensorflow/union/custom_call.h"

#include "call/union.h"
#include "formulas/state.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/loss/custom_call.h"
#include "tensorflow/shared/mlir_dictionary.h"
#include "tensorflow/shared/xla_api.h"
#include "xla/ffi/api/ffi.h"

// Of xla/union, whose handlers.h would compile them here as well.
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_remember_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_tail_loss_host);
#if defined(TAILOPS_HAS_CUDA)
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_remember_cuda);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_tail_loss_cuda);
#endif

namespace tailops {
namespace {

constexpr const char* kRememberTarget = "tailops_union_remember";
constexpr const char* kLossTarget = "tailops_union_tail_loss";

XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kRememberTarget, "Host",
                         tailops_union_remember_host);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kLossTarget, "Host",
                         tailops_union_tail_loss_host);
#if defined(TAILOPS_HAS_CUDA)
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kRememberTarget, "CUDA",
                         tailops_union_remember_cuda);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kLossTarget, "CUDA",
                         tailops_union_tail_loss_cuda);
#endif

std::string dictionary(const Attributes& attributes, const CallAttribute& more) {
  std::vector<CallAttribute> entries = call_attributes(attributes);
  entries.push_back(more);
  return mlir_dictionary(entries);
}

Geometry geometry_of(const Attributes& attributes, const Shapes& inputs) {
  require_same_shape(inputs[0], inputs[1]);
  return share_geometry(inputs[1], attributes.axis);
}

}  // namespace

absl::StatusOr<Lowering> remember_lowering_of(tensorflow::OpKernelConstruction* context) {
  Attributes attributes;
  bool frozen = false;
  TF_RETURN_IF_ERROR(read_attributes(context, attributes));
  TF_RETURN_IF_ERROR(context->GetAttr("frozen", &frozen));
  return [=](const Shapes& inputs) -> CustomCall {
    require_window(inputs[2], geometry_of(attributes, inputs));
    require_shape("written", inputs[3], {});
    require_mask(inputs, 4, inputs[1]);
    return {kRememberTarget,
            dictionary(attributes, {"frozen", int64_t{frozen}}),
            {inputs[2], inputs[3]}};
  };
}

absl::StatusOr<Lowering> union_loss_lowering_of(tensorflow::OpKernelConstruction* context) {
  Attributes attributes;
  int64_t scheduled = 0;
  TF_RETURN_IF_ERROR(read_attributes(context, attributes));
  TF_RETURN_IF_ERROR(context->GetAttr(kStepNumbersCount, &scheduled));
  return [=](const Shapes& inputs) -> CustomCall {
    const Geometry geometry = geometry_of(attributes, inputs);
    require_shape("state", inputs[2], {geometry.groups(), kStateColumns});
    require_numbers_and_mask(inputs, 3, scheduled, inputs[1]);
    return {kLossTarget, dictionary(attributes, {kScheduledAttribute, scheduled}), {inputs[1]}};
  };
}

}  // namespace tailops
