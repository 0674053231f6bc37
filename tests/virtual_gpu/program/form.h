#pragma once

// The name of an instruction, in its parts: `mad.lo.s32` is the opcode mad with the parts lo and
// s32. Who gives a form its meaning takes each part; one that nobody has taken is not known to this
// machine, and the instruction is refused. So nothing is passed over.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "program/types.h"

namespace virtual_gpu {

class Form {
 public:
  explicit Form(std::string text);

  const std::string& text() const { return text_; }
  bool is(std::string_view opcode) const { return opcode_ == opcode; }

  // Whether the part is there; it counts as known then.
  bool take(std::string_view part);
  // The value of the first part that is among the names; `otherwise` if there is none.
  template <typename Value>
  Value take_one_of(std::initializer_list<std::pair<std::string_view, Value>> names,
                    Value otherwise) {
    for (const auto& [name, value] : names) {
      if (take(name)) return value;
    }
    return otherwise;
  }
  // The next part that is a type, in the order of the text; kNone if there is none left.
  Type take_type();
  // The first part that nobody has taken; empty if there is none.
  std::string left() const;

 private:
  struct Part {
    std::string name;
    bool taken = false;
  };

  std::string text_;
  std::string opcode_;
  std::vector<Part> parts_;
};

}  // namespace virtual_gpu
