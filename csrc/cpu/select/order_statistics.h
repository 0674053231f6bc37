#pragma once

// What a group's threshold is made of.

#include <cstdint>
#include <limits>
#include <optional>

#include "cpu/select/kth_smallest.h"
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

// From element_at(rank), an std::optional<Ranked<C>>; nothing where that is nothing. It is asked a
// second time only for what interpolates and is not tied.
template <typename C, typename ElementAt>
std::optional<OrderStatistics<C>> statistics_of(const Rank& rank, const ElementAt& element_at) {
  const std::optional<Ranked<C>> lower = element_at(rank.lower);
  if (!lower) return std::nullopt;
  if (lower->value != lower->value) return nan_statistics<C>();
  const bool next_is_tied = rank.lower + 1 < lower->smaller + lower->ties;
  if (rank.weight == 0.0 || next_is_tied) {
    return OrderStatistics<C>{lower->value, lower->value, lower->ties, lower->ties};
  }
  const std::optional<Ranked<C>> upper = element_at(rank.lower + 1);
  if (!upper) return std::nullopt;
  return OrderStatistics<C>{lower->value, upper->value, lower->ties, upper->ties};
}

// Of a group of which the `count` largest elements are here and `below` are smaller than all of
// these; nothing if the rank is among those.
template <typename T, typename C = ComputeType<T>>
std::optional<OrderStatistics<C>> statistics_of_largest(const Loops<T>& loops, const Rank& rank,
                                                        const C* largest, int64_t count,
                                                        int64_t below) {
  return statistics_of<C>(rank, [&](int64_t of) -> std::optional<Ranked<C>> {
    if (of < below) return std::nullopt;
    Ranked<C> ranked = kth_smallest(loops, largest, count, of - below);
    ranked.smaller += below;
    return ranked;
  });
}

// What selection finds of a group.
template <typename C>
struct Selected {
  Selected() = default;
  Selected(const OrderStatistics<C>& found, const Rank& rank_of_them, int64_t valid_elements)
      : statistics(found),
        threshold(interpolate(found.lower, found.upper, rank_of_them)),
        rank(rank_of_them),
        valid(valid_elements) {}

  OrderStatistics<C> statistics{};
  C threshold{};
  Rank rank{};
  int64_t valid = 0;
  std::optional<Sums> sums;  // if they were wanted and came for free
};

}  // namespace tailops
