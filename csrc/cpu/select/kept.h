#pragma once

// What a pass over elements has found of one bracket, by parts that are put together.

#include <cstdint>
#include <optional>

#include "core/growing_buffer.h"
#include "cpu/select/bracket.h"
#include "cpu/select/kth_smallest.h"
#include "cpu/simd/loops.h"

namespace tailops {

template <typename C>
struct Kept {
  int64_t below = 0;
  int64_t at_low = 0;
  int64_t at_high = 0;
  GrowingBuffer<C> candidates;

  void append(const Kept& more) {
    below += more.below;
    at_low += more.at_low;
    at_high += more.at_high;
    candidates.append(more.candidates.data(), more.candidates.size());
  }

  // Where the candidates are what is strictly between, and no NaN.
  Bracketed<C> bracketed(C low, C high) const {
    return {low, high, {below, at_low, candidates.size(), at_high, false}};
  }
};

// The element of this rank, if the bracket holds it; `between` are those strictly inside.
template <typename T, typename C = typename Loops<T>::C>
std::optional<Ranked<C>> element_of(const Loops<T>& loops, const Bracketed<C>& bracketed,
                                    const C* between, int64_t rank) {
  if (!bracketed.is_between(rank)) return bracketed.end(rank);
  const int64_t first = bracketed.first_between();
  Ranked<C> ranked = kth_smallest(loops, between, bracketed.counts.between, rank - first);
  ranked.smaller += first;
  return ranked;
}

}  // namespace tailops
