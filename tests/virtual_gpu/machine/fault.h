#pragma once

#include <string>

namespace virtual_gpu {

// What ends a launch, as an error of the device: the machine adds which thread it was, and where.
struct Fault {
  enum Kind { kIllegalAddress, kMisalignedAddress, kIllegalInstruction, kTrap, kTimeout };

  Kind kind;
  std::string what;
  int lane = -1;
};

}  // namespace virtual_gpu
