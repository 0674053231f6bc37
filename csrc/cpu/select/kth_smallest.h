#pragma once

// The k-th smallest of many values in a buffer.

#include <cstdint>
#include <optional>

#include "call/sample_plan.h"
#include "core/growing_buffer.h"
#include "cpu/select/bracket.h"
#include "cpu/simd/loops.h"

namespace tailops {

// Descended to between two elements of a sample until few are left. NaN where there is one.
template <typename T, typename C = typename Loops<T>::C>
Ranked<C> kth_smallest(const Loops<T>& loops, const C* values, int64_t n, int64_t k) {
  constexpr int64_t kFew = 4096;
  constexpr int64_t kSample = 256;
  constexpr double kReach = 3.0;  // what is between is only split again: a narrower bracket pays
  C* const spare = scratch_of<C, Scratch::kFew>(spare_length(n));
  const C* from = values;
  int64_t count = n, smaller = 0;
  while (count > kFew) {
    C sample[kSample], sample_spare[spare_length(kSample)];
    for (int64_t i = 0; i < kSample; ++i) sample[i] = from[(2 * i + 1) * count / (2 * kSample)];
    const auto of_sample = [&](double deviations, double further) {
      const double place = place_in_sample(k - smaller, count, kSample, deviations) + further;
      return element_of_sample(loops, sample, kSample, place, sample_spare);
    };
    const C low = of_sample(-kReach, -2.0), high = of_sample(kReach, 2.0);
    const Bracketed<C> found{low, high, loops.split(from, count, low, high, spare)};
    if (found.counts.has_nan) return nan_ranked<C>();
    if (std::optional<Ranked<C>> end = found.end(k - smaller)) {
      end->smaller += smaller;
      return *end;
    }
    // A sample that misleads, or that tightens nothing: start again, the way that needs no luck.
    if (!found.is_between(k - smaller) || found.counts.between > count / 2) {
      return loops.kth_smallest(values, n, k, spare);
    }
    from = spare;
    smaller += found.first_between();
    count = found.counts.between;
  }
  Ranked<C> ranked = loops.kth_smallest(from, count, k - smaller, spare);
  ranked.smaller += smaller;
  return ranked;
}

}  // namespace tailops
