#include "tensorflow/range_mean/custom_call.h"

#include "call/geometry.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/range_mean/attributes.h"
#include "tensorflow/shared/mlir_dictionary.h"
#include "tensorflow/shared/xla_api.h"
#include "xla/range_mean/handlers.h"

namespace tailops {
namespace {

XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kRangeMeanTarget, "Host",
                         tailops_range_mean_host);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kRangeMeanGradTarget, "Host",
                         tailops_range_mean_grad_host);
#if defined(TAILOPS_HAS_CUDA)
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kRangeMeanTarget, "CUDA",
                         tailops_range_mean_cuda);
XLA_FFI_REGISTER_HANDLER(xla::ffi::GetXlaFfiApi(), kRangeMeanGradTarget, "CUDA",
                         tailops_range_mean_grad_cuda);
#endif

std::string dictionary(const RangeOptions& options) {
  std::vector<CallAttribute> entries = {{"kind", static_cast<int64_t>(options.kind)}};
  if (options.axis) entries.emplace_back("axis", *options.axis);
  return mlir_dictionary(entries);
}

Shapes forward_outputs(const RangeOptions& options, const Shapes& inputs) {
  const SelectionGeometry geometry = range_geometry(inputs[0], options);
  require_shape("bounds", inputs[1], {2});
  require_mask(inputs, 2, inputs[0]);  // or weights
  return {geometry.group_shape, {geometry.groups(), kRangeColumns}};
}

Shapes backward_outputs(const RangeOptions& options, const Shapes& inputs) {
  const SelectionGeometry geometry = range_geometry(inputs[1], options);
  require_shape("upstream", inputs[0], geometry.group_shape);
  require_shape("state", inputs[2], {geometry.groups(), kRangeColumns});
  require_mask(inputs, 3, inputs[1]);
  return {inputs[1]};
}

}  // namespace

absl::StatusOr<Lowering> range_mean_lowering_of(tensorflow::OpKernelConstruction* context) {
  RangeOptions options;
  TF_RETURN_IF_ERROR(read_range_attributes(context, options));
  const bool is_forward = context->def().op() == kRangeMeanOps.op;
  return [=](const Shapes& inputs) -> CustomCall {
    return {is_forward ? kRangeMeanTarget : kRangeMeanGradTarget, dictionary(options),
            (is_forward ? forward_outputs : backward_outputs)(options, inputs)};
  };
}

}  // namespace tailops
