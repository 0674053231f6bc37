#pragma once

// Selection by a sample, as all of it here goes about it: two elements of a sample bracket the
// rank, one pass over all elements counts what is outside and keeps what is inside, and among the
// few that are kept the rank is looked up. Once in 2,000 times a bracket does not hold its rank.
//
// What it selects from has a sample and a pass of its own: the errors of a group (group.h), the
// values of a row (rows.h), the errors of many columns at once (columns.h), values in a buffer
// (kth_smallest.h). A pass is where the time goes, and no two of them do the same on the way: sums,
// several ranks, several columns. So what they share are the parts, not a loop around them.

#include <cstdint>
#include <limits>
#include <optional>

#include "call/sample_plan.h"
#include "cpu/simd/loops.h"

namespace tailops {

// Of elements of which one is a NaN, whatever the rank.
template <typename C>
Ranked<C> nan_ranked() {
  return {std::numeric_limits<C>::quiet_NaN(), 0, 1};
}

// The element at a place of the sorted sample, cut down to a whole one; beyond its ends, what
// bounds nothing. `spare` is of spare_length(size).
template <typename T, typename C = typename Loops<T>::C>
C element_of_sample(const Loops<T>& loops, const C* sample, int64_t size, double place, C* spare) {
  constexpr C kInfinity = std::numeric_limits<C>::infinity();
  if (place < 0.0) return -kInfinity;
  if (place >= static_cast<double>(size)) return kInfinity;
  return loops.kth_smallest(sample, size, static_cast<int64_t>(place), spare).value;
}

// What is kept is searched once more, and in no order: that pays up to here.
inline bool are_few(int64_t kept, int64_t of) { return 4 * kept <= of; }

// How wide brackets are, one after the other until one holds; after the last, nothing is left to
// luck. Where a pass serves several ranks or columns, those that the first bracket misses are
// selected alone.
constexpr double kReaches[] = {kDeviations, 4.0 * kDeviations};

// attempt(deviations) with ever wider brackets; where none holds, otherwise().
template <typename Attempt, typename Otherwise>
auto select_sampled(const Attempt& attempt, const Otherwise& otherwise) -> decltype(otherwise()) {
  for (const double deviations : kReaches) {
    if (auto found = attempt(deviations)) return *found;
  }
  return otherwise();
}

// A bracket, and what a pass has counted.
template <typename C>
struct Bracketed {
  C low;
  C high;
  Split<C> counts;

  int64_t first_between() const { return counts.below + counts.at_low; }
  int64_t first_high() const { return first_between() + counts.between; }

  bool holds(int64_t rank) const {
    return rank >= counts.below && rank < first_high() + counts.at_high;
  }
  bool is_between(int64_t rank) const { return rank >= first_between() && rank < first_high(); }

  // The end of the bracket that is the element of this rank, if one is.
  std::optional<Ranked<C>> end(int64_t rank) const {
    if (rank >= counts.below && rank < first_between()) {
      return Ranked<C>{low, counts.below, counts.at_low};
    }
    if (rank >= first_high() && rank < first_high() + counts.at_high) {
      return Ranked<C>{high, first_high(), counts.at_high};
    }
    return std::nullopt;
  }
};

}  // namespace tailops
