#include "program/form.h"

namespace virtual_gpu {

Form::Form(std::string text) : text_(std::move(text)) {
  size_t begin = 0;
  for (bool first = true; begin <= text_.size(); first = false) {
    size_t end = text_.find('.', begin);
    if (end == std::string::npos) end = text_.size();
    const std::string name = text_.substr(begin, end - begin);
    if (first) {
      opcode_ = name;
    } else {
      parts_.push_back({name});
    }
    begin = end + 1;
  }
}

bool Form::take(std::string_view part) {
  for (Part& one : parts_) {
    if (!one.taken && one.name == part) return one.taken = true;
  }
  return false;
}

Type Form::take_type() {
  for (Part& one : parts_) {
    const Type type = one.taken ? Type::kNone : type_of(one.name);
    if (type == Type::kNone) continue;
    one.taken = true;
    return type;
  }
  return Type::kNone;
}

std::string Form::left() const {
  for (const Part& one : parts_) {
    if (!one.taken) return one.name;
  }
  return "";
}

}  // namespace virtual_gpu
