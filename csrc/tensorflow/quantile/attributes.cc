#include "tensorflow/quantile/attributes.h"

#include <string>

#include "tensorflow/core/platform/errors.h"
#include "tensorflow/shared/attributes.h"

namespace tailops {

using tensorflow::OpKernelConstruction;
using tensorflow::register_op::OpDefBuilderWrapper;

OpDefBuilderWrapper& with_selection_attributes(OpDefBuilderWrapper& op) {
  return op.Attr(choice_attribute("method", selection_methods(), "linear"))
      .Attr("ignore_nan: bool = false")
      .Attr(kAxisAttribute);
}

absl::Status read_selection_attributes(OpKernelConstruction* context, SelectionOptions& options) {
  std::string method;
  TF_RETURN_IF_ERROR(context->GetAttr("method", &method));
  options.method = selection_method(method);
  TF_RETURN_IF_ERROR(context->GetAttr("ignore_nan", &options.ignore_nan));
  TF_RETURN_IF_ERROR(read_axis(context, options.axis));
  tensorflow::DataType type;
  TF_RETURN_IF_ERROR(context->GetAttr("T", &type));
  if (tensorflow::DataTypeIsInteger(type)) {
    require_method_of_integers(options, tensorflow::DataTypeString(type));
  }
  return absl::OkStatus();
}

}  // namespace tailops
