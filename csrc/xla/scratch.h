#pragma once

#include <cstdint>
#include <new>
#include <optional>

#include "xla/ffi/api/ffi.h"

namespace tailops {

// Device memory that lives as long as the call; std::bad_alloc if there is none.
inline void* allocate(xla::ffi::ScratchAllocator& allocator, int64_t bytes) {
  if (bytes == 0) return nullptr;
  constexpr size_t kAlignment = 256;
  const std::optional<void*> workspace = allocator.Allocate(static_cast<size_t>(bytes), kAlignment);
  if (!workspace) throw std::bad_alloc();
  return *workspace;
}

}  // namespace tailops
