#include "tensorflow/shared/attributes.h"

#include <stdexcept>

#include "tensorflow/core/platform/errors.h"

namespace tailops {

using tensorflow::register_op::OpDefBuilderWrapper;

std::string choice_attribute(const std::string& name, const std::vector<std::string>& choices,
                             const std::string& default_choice) {
  std::string all;
  for (const std::string& choice : choices) all += (all.empty() ? "'" : ", '") + choice + "'";
  return name + ": {" + all + "} = '" + default_choice + "'";
}

absl::Status read_axis(tensorflow::OpKernelConstruction* context, std::optional<int64_t>& axis) {
  std::vector<int64_t> entries;
  TF_RETURN_IF_ERROR(context->GetAttr("axis", &entries));
  if (entries.size() > 1) {
    throw std::invalid_argument("axis has " + std::to_string(entries.size()) +
                                " entries: at most one is allowed");
  }
  axis = entries.empty() ? std::nullopt : std::optional<int64_t>(entries[0]);
  return absl::OkStatus();
}

OpDefBuilderWrapper& with_mask(OpDefBuilderWrapper& op) {
  return op.Input("mask: masks * bool").Attr("masks: int >= 0 = 0");
}

OpDefBuilderWrapper& with_weights_input(OpDefBuilderWrapper& op) {
  return op.Input("weights: weight_arrays * W")
      .Attr("weight_arrays: int >= 0 = 0")
      .Attr("W: {float, double} = DT_FLOAT");
}

}  // namespace tailops
