#pragma once

// Two ops that go together, by their names.

#include <string>

namespace tailops {

struct OpAndGradient {
  const char* op;
  const char* gradient;
  const char* host_input = nullptr;  // of the op: it is in the host's memory on every device

  bool has(const std::string& name) const { return name == op || name == gradient; }
};

}  // namespace tailops
