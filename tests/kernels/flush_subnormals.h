#pragma once

// What frameworks do to their threads.

#include <cstdint>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace tailops {

inline void flush_subnormals() {
#if defined(__SSE2__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
  uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" ::"r"(control | uint64_t{1} << 24));
#endif
}

}  // namespace tailops
