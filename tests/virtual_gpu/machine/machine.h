#pragma once

// Runs the kernels of a module, one launch at a time, on the host.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "machine/fault.h"
#include "program/module.h"

namespace virtual_gpu {

struct Launch {
  unsigned grid[3];
  unsigned block[3];
  size_t dynamic_bytes;  // of shared memory
  std::vector<unsigned char> arguments;
};

// What went wrong, if anything did. What is wrong and ends no launch is a complaint: complaints.h.
std::optional<Fault> run(const Kernel& kernel, const Launch& launch);

}  // namespace virtual_gpu
