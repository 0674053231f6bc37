#pragma once

// Writing past the caches, where what is written is more than they hold: the lines need not be read
// first.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/host_device.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tailops {

// Results of at least this size are written past the caches.
constexpr int64_t kStreamedBytes = 4 << 20;

inline namespace TAILOPS_TARGET {

// Copies. finish_streaming() comes before any other thread may look.
inline void stream(void* to, const void* from, size_t bytes) {
  char* target = static_cast<char*>(to);
  const char* source = static_cast<const char*>(from);
#if defined(__SSE2__)
  const size_t head = std::min<size_t>(bytes, -reinterpret_cast<uintptr_t>(target) % 16);
  memcpy(target, source, head);
  size_t i = head;
  for (; i + 16 <= bytes; i += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(target + i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + i)));
  }
  memcpy(target + i, source + i, bytes - i);
#else
  memcpy(target, source, bytes);
#endif
}

inline void finish_streaming() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
