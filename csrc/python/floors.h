#pragma once

// What no kernel can beat: reading two arrays, and reading two and writing one. For benchmarks.

#include <cstdint>

namespace tailops {

inline double read_two(const float* a, const float* b, int64_t n) {
  constexpr int kLanes = 32;
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] - b[i + lane];
  }
  for (; i < n; ++i) sums[0] += a[i] - b[i];
  double total = 0.0;
  for (const float sum : sums) total += static_cast<double>(sum);
  return total;
}

inline void read_two_write_one(const float* a, const float* b, float* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] - b[i];
}

}  // namespace tailops
