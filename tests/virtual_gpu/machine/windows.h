#pragma once

// Where the address spaces lie among the generic addresses. Global memory is the host's own, and
// nothing of a process lies where these are.

#include <cstdint>

#include "program/types.h"

namespace virtual_gpu {

inline constexpr uint64_t kSharedWindow = 0x6000'0000'0000'0000;
inline constexpr uint64_t kLocalWindow = 0x5000'0000'0000'0000;
inline constexpr uint64_t kWindowMask = 0xf000'0000'0000'0000;

constexpr uint64_t window_of(Space space) {
  return space == Space::kShared ? kSharedWindow : space == Space::kLocal ? kLocalWindow : 0;
}

constexpr Space space_of_generic(uint64_t address) {
  if ((address & kWindowMask) == kSharedWindow) return Space::kShared;
  return (address & kWindowMask) == kLocalWindow ? Space::kLocal : Space::kGlobal;
}

}  // namespace virtual_gpu
