#include "tensorflow/loss/attributes.h"

#include <map>
#include <string>
#include <vector>

#include "tensorflow/core/platform/errors.h"
#include "tensorflow/shared/attributes.h"
#include "tensorflow/shared/kernel_types.h"

namespace tailops {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::register_op::OpDefBuilderWrapper;

std::string definition_of(const TextAttribute& attribute) {
  const auto& [name, default_text, choices] = attribute;
  return choices.empty() ? name + ": string = '" + default_text + "'"
                         : choice_attribute(name, choices, default_text);
}

}  // namespace

OpDefBuilderWrapper& with_attributes(OpDefBuilderWrapper& op) {
  op.Attr(type_attribute(false));
  for (const TextAttribute& attribute : text_attributes()) op.Attr(definition_of(attribute));
  return op.Attr(kAxisAttribute);
}

OpDefBuilderWrapper& with_step_numbers(OpDefBuilderWrapper& op) {
  const std::string name = kStepNumbersInput, count = kStepNumbersCount;
  return op.Input(name + ": " + count + " * double").Attr(count + ": int >= 0 = 0");
}

absl::Status require_step_numbers(tensorflow::shape_inference::InferenceContext* c) {
  std::vector<tensorflow::shape_inference::ShapeHandle> given;
  TF_RETURN_IF_ERROR(c->input(kStepNumbersInput, &given));
  tensorflow::shape_inference::ShapeHandle merged;
  for (const auto& numbers : given) {
    TF_RETURN_IF_ERROR(c->Merge(numbers, c->Vector(kStepNumbers), &merged));
  }
  return absl::OkStatus();
}

absl::Status read_attributes(OpKernelConstruction* context, Attributes& attributes) {
  std::map<std::string, std::string> texts;
  for (const TextAttribute& attribute : text_attributes()) {
    TF_RETURN_IF_ERROR(context->GetAttr(attribute.name, &texts[attribute.name]));
  }
  std::optional<int64_t> axis;
  TF_RETURN_IF_ERROR(read_axis(context, axis));
  attributes = parse_attributes([&](const std::string& name) { return texts.at(name); }, axis);
  return absl::OkStatus();
}

}  // namespace tailops
