#include "attributes.h"

#include <charconv>
#include <vector>

#include "tensorflow/core/platform/errors.h"

namespace tailops {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::register_op::OpDefBuilderWrapper;

// "name: {'first', 'second'} = 'first'"
std::string choice(const std::string& name, const std::vector<std::string>& values) {
  std::string text = name + ": {";
  for (size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "'" : ", '") + values[i] + "'";
  return text + "} = '" + values[0] + "'";
}

// TensorFlow's float attributes are float32, in which 0.95 is 0.949999988 and the rank ⌊200·p⌋ is
// 189 instead of 190. So numbers are attributes in decimal: exact, and readable in a graph.
absl::Status read_number(OpKernelConstruction* context, const char* name, double& value) {
  std::string text;
  TF_RETURN_IF_ERROR(context->GetAttr(name, &text));
  const char* const end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || parsed_to != end) {
    return absl::InvalidArgumentError(std::string(name) + "='" + text +
                                      "': must be a number in decimal");
  }
  return absl::OkStatus();
}

}  // namespace

OpDefBuilderWrapper& with_attributes(OpDefBuilderWrapper& op) {
  return op.Attr("T: {half, bfloat16, float, double}")
      .Attr("percentile: string = '0.99'")
      .Attr("smoothing_factor: string = '100'")
      .Attr("error_scale: string = '10'")
      .Attr("beta: string = '0'")
      .Attr("epsilon: string = '0.001'")
      .Attr(choice("error", error_kind_names()))
      .Attr(choice("method", rank_rule_names()))
      .Attr(choice("gradient", gradient_mode_names()))
      .Attr(choice("reduction", reduction_names()))
      .Attr("axis: list(int) = []");
}

absl::Status read_attributes(OpKernelConstruction* context, Attributes& attributes) {
  Options& options = attributes.options;
  TF_RETURN_IF_ERROR(read_number(context, "percentile", options.percentile));
  TF_RETURN_IF_ERROR(read_number(context, "smoothing_factor", options.smoothing_factor));
  TF_RETURN_IF_ERROR(read_number(context, "error_scale", options.error_scale));
  TF_RETURN_IF_ERROR(read_number(context, "beta", options.beta));
  TF_RETURN_IF_ERROR(read_number(context, "epsilon", options.epsilon));

  std::string error, method, gradient, reduction;
  std::vector<int64_t> axis;
  TF_RETURN_IF_ERROR(context->GetAttr("error", &error));
  TF_RETURN_IF_ERROR(context->GetAttr("method", &method));
  TF_RETURN_IF_ERROR(context->GetAttr("gradient", &gradient));
  TF_RETURN_IF_ERROR(context->GetAttr("reduction", &reduction));
  TF_RETURN_IF_ERROR(context->GetAttr("axis", &axis));
  return invalid_argument_if_thrown(context->def().op(), [&] {
    set_names(options, error, method, gradient);
    validate(options);
    attributes.reduction =
        static_cast<Reduction>(index_of("reduction", reduction, reduction_names()));
    if (axis.size() > 1) {
      throw std::invalid_argument("axis has " + std::to_string(axis.size()) +
                                  " entries: at most one is allowed");
    }
    if (!axis.empty()) attributes.axis = axis[0];
  });
}

}  // namespace tailops
