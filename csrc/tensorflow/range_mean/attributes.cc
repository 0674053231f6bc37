#include "tensorflow/range_mean/attributes.h"

#include <string>

#include "tensorflow/core/platform/errors.h"
#include "tensorflow/shared/attributes.h"
#include "tensorflow/shared/kernel_types.h"

namespace tailops {

using tensorflow::OpKernelConstruction;
using tensorflow::register_op::OpDefBuilderWrapper;

OpDefBuilderWrapper& with_range_attributes(OpDefBuilderWrapper& op) {
  return op.Attr(type_attribute(false))
      .Attr(choice_attribute("kind", range_kind_names(), "between"))
      .Attr(kAxisAttribute);
}

absl::Status read_range_attributes(OpKernelConstruction* context, RangeOptions& options) {
  std::string kind;
  TF_RETURN_IF_ERROR(context->GetAttr("kind", &kind));
  options.kind = range_kind(kind);
  return read_axis(context, options.axis);
}

}  // namespace tailops
