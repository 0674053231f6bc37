#include "call/attributes.h"

#include <charconv>
#include <iterator>
#include <stdexcept>
#include <tuple>

#include "formulas/tail_loss.h"

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
constexpr const char* kAxis = "axis";
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

// What a call carries, in one place for whoever writes or reads it.
template <typename Carried, typename Visitor>
void visit_options(Carried& carried, const Visitor& visitor) {
  auto& options = carried.options;
  for (const NumberOption& number : kNumberOptions) {
    visitor.number(number.name, options.*number.value);
  }
  visitor.choice("error", options.error_kind, std::tuple_size_v<ErrorKinds>);
  visitor.choice("method", options.method, method_names().size());
  visitor.choice("gradient", options.gradient, std::size(kGradientModeNames));
  visitor.choice("smoothing_unit", options.smoothing_unit, std::size(kSmoothingUnitNames));
  visitor.choice("reduction", carried.reduction, std::size(kReductionNames));
  visitor.choice(kIgnoreNan, options.ignore_nan, 2);
  visitor.number(kIgnoreValue, options.ignore_value);
  visitor.integer(kAxis, carried.axis);
}

struct Writer {
  void number(const char* name, double value) const { to.emplace_back(name, value); }
  void number(const char* name, const std::optional<double>& value) const {
    if (value) to.emplace_back(name, *value);
  }
  void integer(const char* name, const std::optional<int64_t>& value) const {
    if (value) to.emplace_back(name, *value);
  }
  template <typename Choice>
  void choice(const char* name, Choice value, size_t /*count*/) const {
    to.emplace_back(name, static_cast<int64_t>(value));
  }

  std::vector<CallAttribute>& to;
};

struct Reader {
  void number(const char* name, double& value) const { value = from.number(name); }
  void number(const char* name, std::optional<double>& value) const {
    if (from.has(name)) value = from.number(name);
  }
  void integer(const char* name, std::optional<int64_t>& value) const {
    if (from.has(name)) value = from.integer(name);
  }
  template <typename Choice>
  void choice(const char* name, Choice& value, size_t count) const {
    value = static_cast<Choice>(read_place(from, name, count));
  }

  const CallAttributeReader& from;
};

}  // namespace

std::vector<CallAttribute> call_attributes(const Attributes& attributes) {
  std::vector<CallAttribute> written;
  visit_options(attributes, Writer{written});
  return written;
}

int64_t read_place(const CallAttributeReader& reader, const char* name, size_t count) {
  const int64_t place = reader.integer(name);
  if (place < 0 || place >= static_cast<int64_t>(count)) {
    throw std::invalid_argument(std::string(name) + "=" + std::to_string(place) +
                                ": must be in [0, " + std::to_string(count) + ")");
  }
  return place;
}

size_t scheduled_of(const CallAttributeReader& reader) {
  if (!reader.has(kScheduledAttribute)) return 0;
  return static_cast<size_t>(read_place(reader, kScheduledAttribute, 2));
}

Attributes read_call_attributes(const CallAttributeReader& reader) {
  Attributes read;
  visit_options(read, Reader{reader});
  validate(read.options);
  return read;
}

std::vector<TextAttribute> text_attributes() {
  std::vector<TextAttribute> attributes;
  for (const NumberOption& number : kNumberOptions) {
    attributes.push_back({number.name, text_of_number(Options().*number.value), {}});
  }
  const auto add = [&](const char* name, const std::vector<std::string>& choices) {
    attributes.push_back({name, choices[0], choices});
  };
  add("error", error_kind_names());
  add("method", method_names());
  add("gradient", gradient_mode_names());
  add("smoothing_unit", smoothing_unit_names());
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
  set_names(attributes.options, text_of("error"), text_of("method"), text_of("gradient"),
            text_of("smoothing_unit"));
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
