#pragma once

// The options as frameworks carry them: attributes of an op or of a custom call. All but the axis
// are text: a framework's float attributes may be float32, in which 0.95 is 0.949999988 and the
// rank ⌊200·p⌋ is 189 instead of 190.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "geometry.h"
#include "options.h"

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

}  // namespace tailops
