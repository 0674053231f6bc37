#include "tensorflow/quantile/attributes.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow/core/platform/errors.h"

namespace tailops {

using tensorflow::OpKernelConstruction;
using tensorflow::register_op::OpDefBuilderWrapper;

OpDefBuilderWrapper& with_selection_attributes(OpDefBuilderWrapper& op) {
  std::string methods;
  for (const std::string& method : selection_methods()) {
    methods += (methods.empty() ? "'" : ", '") + method + "'";
  }
  return op.Attr("method: {" + methods + "} = 'linear'")
      .Attr("ignore_nan: bool = false")
      .Attr("axis: list(int) = []");
}

absl::Status read_selection_attributes(OpKernelConstruction* context, SelectionOptions& options) {
  std::string method;
  TF_RETURN_IF_ERROR(context->GetAttr("method", &method));
  options.method = selection_method(method);
  TF_RETURN_IF_ERROR(context->GetAttr("ignore_nan", &options.ignore_nan));
  std::vector<int64_t> axis;
  TF_RETURN_IF_ERROR(context->GetAttr("axis", &axis));
  if (axis.size() > 1) {
    throw std::invalid_argument("axis has " + std::to_string(axis.size()) +
                                " entries: at most one is allowed");
  }
  if (!axis.empty()) options.axis = axis[0];
  tensorflow::DataType type;
  TF_RETURN_IF_ERROR(context->GetAttr("T", &type));
  if (tensorflow::DataTypeIsInteger(type)) {
    require_method_of_integers(options, tensorflow::DataTypeString(type));
  }
  return absl::OkStatus();
}

}  // namespace tailops
