#pragma once

// Two ops that go together, by their names.

namespace tailops {

struct OpAndGradient {
  const char* op;
  const char* gradient;
  // Inputs that are in the host's memory on every device.
  const char* host_input = nullptr;
  const char* host_input_of_gradient = nullptr;
};

}  // namespace tailops
