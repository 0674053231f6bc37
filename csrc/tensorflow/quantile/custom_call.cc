#include "tensorflow/quantile/custom_call.h"

#include "tensorflow/core/platform/errors.h"
#include "tensorflow/quantile/attributes.h"
#include "tensorflow/shared/mlir_dictionary.h"
#include "tensorflow/shared/xla_api.h"
#include "xla/quantile/handlers.h"

namespace tailops {
namespace {

XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kSelectTarget, "Host", tailops_select_host);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kSelectGradTarget, "Host",
                         tailops_select_grad_host);
#if defined(TAILOPS_HAS_CUDA)
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kSelectTarget, "CUDA", tailops_select_cuda);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kSelectGradTarget, "CUDA",
                         tailops_select_grad_cuda);
#endif

std::string dictionary(const SelectionOptions& options) {
  std::vector<CallAttribute> entries = {{"method", int64_t{options.method}},
                                        {"ignore_nan", int64_t{options.ignore_nan}}};
  if (options.axis) entries.emplace_back("axis", *options.axis);
  return mlir_dictionary(entries);
}

}  // namespace

absl::StatusOr<Lowering> selection_lowering_of(tensorflow::OpKernelConstruction* context) {
  SelectionOptions options;
  TF_RETURN_IF_ERROR(read_selection_attributes(context, options));
  const bool is_forward = context->def().op() == kSelectOps.op;
  return [=](const Shapes& inputs) -> CustomCall {
    if (!is_forward) return {kSelectGradTarget, dictionary(options), {inputs[1]}};
    const SelectionGeometry geometry = selection_geometry(inputs[0], options);
    const int64_t count = inputs[1].empty() ? 1 : inputs[1][0];
    if (inputs.size() > 2) {
      require_shape("weights", inputs[2], inputs[0]);
      require_method_of_weights(options);
    }
    return {kSelectTarget,
            dictionary(options),
            {value_shape(inputs[1], geometry), {geometry.groups(), kSelectionColumns * count}}};
  };
}

}  // namespace tailops
