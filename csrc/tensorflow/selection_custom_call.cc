#include "selection_custom_call.h"

#include "attributes.h"
#include "selection_attributes.h"
#include "tensorflow/core/platform/errors.h"
#include "xla/selection_handlers.h"
#include "xla_api.h"

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
  const std::string method = selection_methods()[static_cast<size_t>(options.method)];
  std::string entries = "method = \"" + method + "\", ";
  if (options.axis) entries += int_entry("axis", *options.axis) + ", ";
  return "{" + entries + int_entry("ignore_nan", options.ignore_nan ? 1 : 0) + "}";
}

}  // namespace

bool is_selection(const std::string& op) { return op == kSelectOp || op == kSelectGradOp; }

absl::StatusOr<Lowering> selection_lowering_of(tensorflow::OpKernelConstruction* context) {
  SelectionOptions options;
  TF_RETURN_IF_ERROR(read_selection_attributes(context, options));
  const std::string op = context->def().op();
  return [=](const Shapes& inputs) -> absl::StatusOr<CustomCall> {
    CustomCall call;
    call.attributes = dictionary(options);
    TF_RETURN_IF_ERROR(invalid_argument_if_thrown(op, [&] {
      if (op == kSelectGradOp) {
        call.target = kSelectGradTarget;
        call.outputs = {inputs[1]};
        return;
      }
      call.target = kSelectTarget;
      const SelectionGeometry geometry = selection_geometry(inputs[0], options);
      const int64_t count = inputs[1].empty() ? 1 : inputs[1][0];
      call.outputs = {value_shape(inputs[1], geometry),
                      {geometry.groups(), kSelectionColumns * count}};
    }));
    return call;
  };
}

}  // namespace tailops
