#include "tensorflow/loss/attributes.h"

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow/core/platform/errors.h"
#include "tensorflow/shared/kernel_types.h"

namespace tailops {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::register_op::OpDefBuilderWrapper;

// "name: string = 'default'", or "name: {'first', 'second'} = 'first'"
std::string definition_of(const TextAttribute& attribute) {
  std::string type = attribute.choices.empty() ? "string" : "{";
  for (const std::string& choice : attribute.choices) {
    type += (type == "{" ? "'" : ", '") + choice + "'";
  }
  if (!attribute.choices.empty()) type += "}";
  return attribute.name + ": " + type + " = '" + attribute.default_text + "'";
}

}  // namespace

OpDefBuilderWrapper& with_attributes(OpDefBuilderWrapper& op) {
  op.Attr(type_attribute(false));
  for (const TextAttribute& attribute : text_attributes()) op.Attr(definition_of(attribute));
  return op.Attr("axis: list(int) = []");
}

absl::Status read_attributes(OpKernelConstruction* context, Attributes& attributes) {
  std::map<std::string, std::string> texts;
  for (const TextAttribute& attribute : text_attributes()) {
    TF_RETURN_IF_ERROR(context->GetAttr(attribute.name, &texts[attribute.name]));
  }
  std::vector<int64_t> axis;
  TF_RETURN_IF_ERROR(context->GetAttr("axis", &axis));
  if (axis.size() > 1) {
    throw std::invalid_argument("axis has " + std::to_string(axis.size()) +
                                " entries: at most one is allowed");
  }
  attributes = parse_attributes([&](const std::string& name) { return texts.at(name); },
                                axis.empty() ? std::nullopt : std::optional<int64_t>(axis[0]));
  return absl::OkStatus();
}

}  // namespace tailops
