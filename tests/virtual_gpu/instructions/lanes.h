#pragma once

// A register holds 32 lanes of 64 bits. Of those, a type has the low ones; what is above them is
// anybody's, and whoever reads takes no more than the type has. A predicate is 0 or 1.

#include <cstdint>
#include <cstring>

#include "machine/warp.h"
#include "program/instruction.h"

namespace virtual_gpu {

template <typename T>
T get(uint64_t lane) {
  T value;
  std::memcpy(&value, &lane, sizeof value);
  return value;
}

template <typename T>
uint64_t put(T value) {
  uint64_t lane = 0;
  std::memcpy(&lane, &value, sizeof value);
  return lane;
}

// The full warp is by far the most frequent, and the compiler makes vectors of it.
template <typename Body>
void for_lanes(uint32_t mask, Body body) {
  if (mask == ~0u) {
    for (int lane = 0; lane < 32; ++lane) body(lane);
    return;
  }
  for (; mask != 0; mask &= mask - 1) body(__builtin_ctz(mask));
}

}  // namespace virtual_gpu
