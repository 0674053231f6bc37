#include "attributes.h"

#include <charconv>
#include <stdexcept>

namespace tailops {
namespace {

struct NumberOption {
  const char* name;
  double Options::* value;
};

constexpr NumberOption kNumberOptions[] = {
    {"percentile", &Options::percentile},   {"smoothing_factor", &Options::smoothing_factor},
    {"error_scale", &Options::error_scale}, {"beta", &Options::beta},
    {"epsilon", &Options::epsilon},
};

constexpr const char* kIgnoreValue = "ignore_value";  // no text: none
constexpr const char* kIgnoreNan = "ignore_nan";
const std::vector<std::string> kFalseOrTrue = {"false", "true"};

std::string text_of_number(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

double number_of(const std::string& name, const std::string& text) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || parsed_to != end) {
    throw std::invalid_argument(name + "='" + text + "': must be a number in decimal");
  }
  return value;
}

}  // namespace

std::vector<TextAttribute> text_attributes() {
  std::vector<TextAttribute> attributes;
  for (const NumberOption& number : kNumberOptions) {
    attributes.push_back({number.name, text_of_number(Options().*number.value), {}});
  }
  const auto add = [&](const char* name, const std::vector<std::string>& choices) {
    attributes.push_back({name, choices[0], choices});
  };
  add("error", error_kind_names());
  add("method", rank_rule_names());
  add("gradient", gradient_mode_names());
  add("reduction", reduction_names());
  attributes.push_back({kIgnoreValue, "", {}});
  add(kIgnoreNan, kFalseOrTrue);
  return attributes;
}

Attributes parse_attributes(const std::function<std::string(const std::string& name)>& text_of,
                            std::optional<int64_t> axis) {
  Attributes attributes;
  for (const NumberOption& number : kNumberOptions) {
    attributes.options.*number.value = number_of(number.name, text_of(number.name));
  }
  set_names(attributes.options, text_of("error"), text_of("method"), text_of("gradient"));
  if (const std::string value = text_of(kIgnoreValue); !value.empty()) {
    attributes.options.ignore_value = number_of(kIgnoreValue, value);
  }
  attributes.options.ignore_nan = index_of(kIgnoreNan, text_of(kIgnoreNan), kFalseOrTrue) == 1;
  validate(attributes.options);
  attributes.reduction =
      static_cast<Reduction>(index_of("reduction", text_of("reduction"), reduction_names()));
  attributes.axis = axis;
  return attributes;
}

}  // namespace tailops
