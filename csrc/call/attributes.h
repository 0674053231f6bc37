#pragma once

// The options as frameworks carry them.
//
// As attributes of an op, all but the axis are text: a framework's float attributes may be float32,
// in which 0.95 is 0.949999988 and the rank ⌊200·p⌋ is 189 instead of 190. As attributes of an XLA
// custom call they are float64 and int64: read at every execution, and with nothing to parse.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "call/geometry.h"
#include "call/options.h"

namespace tailops {

struct Attributes {
  Options options;
  std::optional<int64_t> axis;
  Reduction reduction = Reduction::kNone;
};

struct TextAttribute {
  std::string name;
  std::string default_text;
  std::vector<std::string> choices;  // none: a number in decimal
};

std::vector<TextAttribute> text_attributes();

// text_of(name) is the text of one of the text attributes. std::invalid_argument if one is wrong.
Attributes parse_attributes(const std::function<std::string(const std::string& name)>& text_of,
                            std::optional<int64_t> axis);

using CallAttribute = std::pair<std::string, std::variant<double, int64_t>>;

// A choice is its place among its names, and what has no value is left out.
std::vector<CallAttribute> call_attributes(const Attributes& attributes);

// Finds a call's attributes; std::invalid_argument if one is not there, or of another type.
class CallAttributeReader {
 public:
  virtual bool has(const char* name) const = 0;
  virtual double number(const char* name) const = 0;
  virtual int64_t integer(const char* name) const = 0;

 protected:
  ~CallAttributeReader() = default;
};

// The opposite of call_attributes. std::invalid_argument if one is missing or wrong.
Attributes read_call_attributes(const CallAttributeReader& reader);

// The integer, if it is the place of one of `count` names.
int64_t read_place(const CallAttributeReader& reader, const char* name, size_t count);

// How many buffers of StepNumbers a call has, in place of these attributes: none or one.
constexpr const char* kScheduledAttribute = "scheduled";
size_t scheduled_of(const CallAttributeReader& reader);

}  // namespace tailops
