#include "program/reader.h"

namespace virtual_gpu {

Declaration Reader::declaration() {
  Declaration found;
  for (;;) {
    if (accept(".align")) {
      found.alignment = static_cast<int>(integer());
    } else if (accept(".v2") || accept(".v4")) {
      fail("variables that are vectors are not known");
    } else if (accept(".attribute")) {
      while (!accept(")")) next();
    } else if (accept(".ptr") || accept(".global") || accept(".const") || accept(".shared") ||
               accept(".local")) {
      // What a pointer among the parameters points to: nothing that a load would not say itself.
    } else if (peek().text.substr(0, 1) == ".") {
      found.type = type_of(peek().text.substr(1));
      if (found.type == Type::kNone || found.type == Type::kPred) fail("the type of a variable");
      next();
    } else {
      break;
    }
  }
  if (found.type == Type::kNone) fail("a variable without a type");
  found.name = next();
  int64_t count = 1;
  while (accept("[")) {
    found.has_size = peek().text != "]";
    if (found.has_size) count *= integer();
    expect("]");
  }
  found.bytes = found.has_size ? bytes_of(found.type) * count : 0;
  if (found.alignment == 0) found.alignment = bytes_of(found.type);
  return found;
}

}  // namespace virtual_gpu
