#pragma once

// Arrays in the type that ranks are searched in: themselves where they are of it, or a copy.

#include <cstdint>
#include <type_traits>

#include "core/float_types.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tailops {

inline const float* widened(const float* x, int64_t /*n*/, float* /*buffer*/) { return x; }
inline const double* widened(const double* x, int64_t /*n*/, double* /*buffer*/) { return x; }

inline const float* widened(const BFloat16* x, int64_t n, float* buffer) {
  for (int64_t i = 0; i < n; ++i) buffer[i] = widen(x[i]);
  return buffer;
}

#if defined(__x86_64__)
// Returns how many. These instructions every processor with AVX2 has, and the baseline does not.
__attribute__((target("avx,f16c"))) inline int64_t widen_in_vectors(const Float16* x, int64_t n,
                                                                    float* buffer) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
    _mm256_storeu_ps(buffer + i, _mm256_cvtph_ps(halves));
  }
  return i;
}
#elif defined(__aarch64__)
inline int64_t widen_in_vectors(const Float16* x, int64_t n, float* buffer) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    vst1q_f32(
        buffer + i,
        vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const uint16_t*>(x + i)))));
  }
  return i;
}
#endif

inline const float* widened(const Float16* x, int64_t n, float* buffer) {
  int64_t i = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) i = widen_in_vectors(x, n, buffer);
#elif defined(__aarch64__)
  i = widen_in_vectors(x, n, buffer);
#endif
  for (; i < n; ++i) buffer[i] = widen(x[i]);
  return buffer;
}

// Integers of up to 32 bits, which float64 holds exactly.
template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
const double* widened(const T* x, int64_t n, double* buffer) {
  for (int64_t i = 0; i < n; ++i) buffer[i] = static_cast<double>(x[i]);
  return buffer;
}

}  // namespace tailops
