#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "growing_buffer.h"

namespace tailops {

// e₍r₎ and, where interpolation asks for it, e₍r+1₎ (otherwise e₍r₎ again), each with the number
// of elements equal to it.
template <typename C>
struct OrderStatistics {
  C lower;
  C upper;
  int64_t lower_count;
  int64_t upper_count;
};

template <typename C>
OrderStatistics<C> nan_statistics() {
  const C nan = std::numeric_limits<C>::quiet_NaN();
  return {nan, nan, 1, 1};
}

template <typename C, Scratch kPurpose>
C* scratch_of(int64_t n) {
  GrowingBuffer<C>& buffer = scratch<C, kPurpose>();
  buffer.reserve_more(n);
  return buffer.data();
}

// The k-th smallest of `values`, which are free of NaN, in their order: narrowed down between two
// elements of a sample, by copies without branches, until few are left.
template <typename C>
C kth_smallest(const C* values, int64_t n, int64_t k) {
  constexpr int64_t kFew = 1024;
  constexpr int64_t kSample = 256;
  C* narrowed = scratch_of<C, Scratch::kNarrowed>(n);
  C* next = scratch_of<C, Scratch::kNarrowedFurther>(n);
  while (n > kFew) {
    C sample[kSample];
    for (int64_t i = 0; i < kSample; ++i) sample[i] = values[(2 * i + 1) * n / (2 * kSample)];
    std::sort(sample, sample + kSample);
    const double place = (static_cast<double>(k) + 0.5) / static_cast<double>(n) * kSample;
    const int64_t low_at = static_cast<int64_t>(std::floor(place)) - 24;  // 3 standard deviations
    const int64_t high_at = static_cast<int64_t>(std::ceil(place)) + 24;
    const C infinity = std::numeric_limits<C>::infinity();
    const C low = low_at < 0 ? -infinity : sample[low_at];
    const C high = high_at >= kSample ? infinity : sample[high_at];

    int64_t smaller = 0, between = 0, at_low = 0;
    for (int64_t i = 0; i < n; ++i) {
      const C value = values[i];
      narrowed[between] = value;
      between += (value > low) & (value < high);
      smaller += value < low;
      at_low += value == low;
    }
    if (k >= smaller && k < smaller + at_low) return low;
    const int64_t first = smaller + at_low;
    if (k < first || k >= first + between || between > n / 2) break;  // by the other way
    k -= first;
    n = between;
    values = narrowed;
    std::swap(narrowed, next);
  }
  std::copy(values, values + n, narrowed);
  std::nth_element(narrowed, narrowed + k, narrowed + n);
  return narrowed[k];
}

}  // namespace tailops
