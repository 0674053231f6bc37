#pragma once

// Where a sample of a row puts the elements of some ranks.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "call/sample_plan.h"
#include "cpu/select/bracket.h"
#include "cpu/select/row.h"
#include "cpu/simd/loops.h"

namespace tailops {

// [low, high] holds ranks[first … end), if the sample is right.
template <typename C>
struct RankBracket {
  C low;
  C high;
  size_t first;
  size_t end;
  double tied;  // the part of the sample that is equal to an end
};

// The sample's order statistics some standard deviations to both sides of each rank's own. None
// where the sample has a NaN. Brackets that overlap are one.
template <typename T, typename C = SelectionType<T>>
std::vector<RankBracket<C>> brackets_of(const Loops<C>& loops, const Row<T>& row,
                                        const std::vector<int64_t>& ranks) {
  constexpr int64_t kLargestSample = 4096;
  const int64_t n = row.count();
  const double balanced = std::pow(static_cast<double>(row.length()), 2.0 / 3.0);
  C sample[kLargestSample], spare[spare_length(kLargestSample)];
  const int64_t m =
      row.draw(std::clamp<int64_t>(static_cast<int64_t>(balanced), 256, kLargestSample), sample);
  const auto at = [&](double place) {
    return element_of_sample(loops, static_cast<const C*>(sample), m, place, spare);
  };
  std::vector<RankBracket<C>> brackets;
  for (size_t r = 0; r < ranks.size(); ++r) {
    const bool next_to_last = r > 0 && ranks[r] == ranks[r - 1] + 1;
    if (next_to_last) {
      ++brackets.back().end;
      continue;
    }
    const C low = at(place_below(ranks[r], n, m, kReaches[0]));
    const C high = at(place_above(ranks[r], n, m, kReaches[0]));
    if (low != low || high != high) return {};
    if (!brackets.empty() && low <= brackets.back().high) {
      brackets.back().high = std::max(high, brackets.back().high);
      brackets.back().end = r + 1;
    } else {
      brackets.push_back({low, high, r, r + 1, 0.0});
    }
  }
  for (RankBracket<C>& one : brackets) {
    const Split<C> split = loops.split(sample, m, one.low, one.high, spare);
    one.tied = static_cast<double>(split.at_low + split.at_high) / static_cast<double>(m);
  }
  return brackets;
}

}  // namespace tailops
