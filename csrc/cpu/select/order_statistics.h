#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/growing_buffer.h"
#include "cpu/simd/loops.h"
#include "formulas/rank.h"

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

// The k-th smallest of many values: descended to between two elements of a sample until few are
// left. NaN where there is one.
template <typename T, typename C = ComputeType<T>>
Ranked<C> kth_smallest(const Loops<T>& loops, const C* values, int64_t n, int64_t k) {
  constexpr int64_t kFew = 4096;
  constexpr int64_t kSample = 256;
  C* const spare = scratch_of<C, Scratch::kFew>(spare_length(n));
  const C* from = values;
  int64_t count = n, smaller = 0;
  while (count > kFew) {
    C sample[kSample], sample_spare[spare_length(kSample)];
    for (int64_t i = 0; i < kSample; ++i) sample[i] = from[(2 * i + 1) * count / (2 * kSample)];
    const auto of_sample = [&](double rank, C outside) {
      if (rank < 0.0 || rank >= kSample) return outside;
      return loops.kth_smallest(sample, kSample, static_cast<int64_t>(rank), sample_spare).value;
    };
    const C infinity = std::numeric_limits<C>::infinity();
    const double place =
        (static_cast<double>(k - smaller) + 0.5) / static_cast<double>(count) * kSample;
    const double reach = 3.0 * std::sqrt(place * (1.0 - place / kSample)) + 2.0;
    const C low = of_sample(place - reach, -infinity), high = of_sample(place + reach, infinity);
    const Split<C> found = loops.split(from, count, low, high, spare);
    if (found.has_nan) return {std::numeric_limits<C>::quiet_NaN(), 0, 1};
    const int64_t at_low = smaller + found.below, between = at_low + found.at_low;
    const int64_t at_high = between + found.between;
    if (k >= at_low && k < between) return {low, at_low, found.at_low};
    if (k >= at_high && k < at_high + found.at_high) return {high, at_high, found.at_high};
    // A sample that misleads, or that tightens nothing: start again, the way that needs no luck.
    if (k < between || k >= at_high || found.between > count / 2) {
      return loops.kth_smallest(values, n, k, spare);
    }
    from = spare;
    smaller = between;
    count = found.between;
  }
  Ranked<C> ranked = loops.kth_smallest(from, count, k - smaller, spare);
  ranked.smaller += smaller;
  return ranked;
}

// The order statistics of a group of which the `count` largest elements are here and `below` are
// smaller than all of these; nothing if the rank is among those.
template <typename T, typename C = ComputeType<T>>
std::optional<OrderStatistics<C>> statistics_of_largest(const Loops<T>& loops, const Rank& rank,
                                                        const C* largest, int64_t count,
                                                        int64_t below) {
  const int64_t k = rank.lower - below;
  if (k < 0) return std::nullopt;
  const Ranked<C> lower = kth_smallest(loops, largest, count, k);
  if (lower.value != lower.value) return nan_statistics<C>();
  const bool next_is_tied = k + 1 < lower.smaller + lower.ties;
  if (rank.weight == 0.0 || next_is_tied) {
    return OrderStatistics<C>{lower.value, lower.value, lower.ties, lower.ties};
  }
  const Ranked<C> upper = kth_smallest(loops, largest, count, k + 1);
  return OrderStatistics<C>{lower.value, upper.value, lower.ties, upper.ties};
}

// What selection finds of a group.
template <typename C>
struct Selected {
  Selected() = default;
  // `ignored` elements count among those that are zero, and must not share the gradient.
  Selected(const OrderStatistics<C>& found, const Rank& rank_of_them, int64_t valid_elements,
           int64_t ignored)
      : statistics(found),
        threshold(interpolate(found.lower, found.upper, rank_of_them)),
        rank(rank_of_them),
        valid(valid_elements) {
    if (found.lower == C(0)) statistics.lower_count -= ignored;
    if (found.upper == C(0)) statistics.upper_count -= ignored;
  }

  OrderStatistics<C> statistics{};
  C threshold{};
  Rank rank{};
  int64_t valid = 0;
  std::optional<Sums> sums;  // if they were wanted and came for free
};

}  // namespace tailops
