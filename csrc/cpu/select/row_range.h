#pragma once

// The ends of a range of a row's positions, and the sum of what is strictly between them, by one
// reading: what lies between the brackets of a sample is added up on the way, and what is kept
// inside them as soon as the ends are known. Where the sample misleads, the ends are selected as if
// there were no sum, and the row is read again.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/select/kept.h"
#include "cpu/select/row.h"
#include "cpu/select/row_brackets.h"
#include "cpu/select/rows.h"
#include "cpu/simd/loops.h"
#include "formulas/range_mean.h"

namespace tailops {

// The ranks of the ends that are not open: one, or two that ascend, or one that is both.
struct RangeRanks {
  std::vector<int64_t> ranks;
  bool open_below;
  bool open_above;
};

struct RangeSums {
  RangeEnd lower;
  RangeEnd upper;
  double between;
  bool has_nan;
};

template <typename T>
class RangeSelector {
 public:
  using C = ComputeType<T>;

  RangeSums select(const Row<T>& row, const RangeRanks& wanted, Executor& executor) const {
    if (row.count() <= RowSelector<T>::kShort) return select_short(row, wanted);
    if (!wanted.ranks.empty()) {
      const auto brackets = brackets_of(loops_, row, wanted.ranks);
      if (brackets.empty()) return of_nan();
      if (!are_tied(brackets)) {
        if (const auto found = bracketed(row, wanted, brackets, executor)) return *found;
      }
    }
    return apart(row, wanted, executor);
  }

  // Of what is at least a threshold: that is the lower end, even if no element is equal to it. None
  // if that are fewer than `least`.
  std::optional<RangeSums> at_least(const Row<T>& row, C threshold, int64_t least,
                                    Executor& executor) const {
    Found found = collect(row, {{threshold, threshold}, {}, true, false}, executor);
    const Split<C> split = split_kept(found, {threshold, threshold});
    keep_memory_of(found);
    if (split.has_nan) return of_nan();
    if (row.count() - found.below < least) return std::nullopt;
    return finished(row,
                    {{static_cast<double>(threshold), found.below, split.at_low},
                     open_above(),
                     found.sum,
                     false},
                    threshold, kOpen, executor);
  }

 private:
  using Ends = typename RangeBrackets<C>::Ends;

  // As a bound of a sum.
  static constexpr C kOpen = std::numeric_limits<C>::quiet_NaN();

  // By a pass over the row, or over some of its blocks.
  struct Found {
    int64_t below = 0;
    int64_t above = 0;
    GrowingBuffer<C> kept;
    std::vector<double> sums;  // of each block
    double sum = 0.0;
  };

  static RangeSums of_nan() { return {open_below(), open_above(), 0.0, true}; }

  // Then a pass that keeps what is equal to a bracket's end would keep much.
  static bool are_tied(const std::vector<RankBracket<C>>& brackets) {
    constexpr double kMany = 1.0 / 16.0;
    return std::any_of(brackets.begin(), brackets.end(),
                       [](const RankBracket<C>& one) { return one.tied > kMany; });
  }

  RangeSums select_short(const Row<T>& row, const RangeRanks& wanted) const {
    C buffer[RowSelector<T>::kShort + kSlack];
    const C* const values = row.values(buffer);
    const int64_t n = row.count();
    Ranked<C> found[2];
    selector_.select_short(values, n, wanted.ranks, found);
    RangeSums sums = ends_of(wanted, found);
    if (sums.has_nan) return sums;
    sums.between =
        loops_.sum_between(values, n, lower_bound(wanted, found), upper_bound(wanted, found));
    if (sums.between != sums.between) sums.has_nan = has_nan(values, n);
    return sums;
  }

  // The ends by themselves, then the sum.
  RangeSums apart(const Row<T>& row, const RangeRanks& wanted, Executor& executor) const {
    Ranked<C> found[2];
    if (!wanted.ranks.empty()) selector_.select(row, wanted.ranks, found, executor);
    RangeSums sums = ends_of(wanted, found);
    if (sums.has_nan) return sums;
    sums.between =
        read_again(row, lower_bound(wanted, found), upper_bound(wanted, found), executor);
    if (sums.between != sums.between) {
      row.for_each_block(0, row.blocks(),
                         [&](const C* values, int64_t n) { sums.has_nan |= has_nan(values, n); });
    }
    return sums;
  }

  // None where a bracket misses.
  std::optional<RangeSums> bracketed(const Row<T>& row, const RangeRanks& wanted,
                                     const std::vector<RankBracket<C>>& brackets,
                                     Executor& executor) const {
    const Ends first{brackets[0].low, brackets[0].high},
        last{brackets.back().low, brackets.back().high};
    const bool are_two = brackets.size() == 2;
    Found found =
        collect(row, {first, last, !wanted.open_below, wanted.open_below || are_two}, executor);
    Ranked<C> ends[2];
    for (const RankBracket<C>& bracket : brackets) {
      Split<C> split = split_kept(found, {bracket.low, bracket.high});
      if (split.has_nan) return of_nan();
      const bool from_above = wanted.open_below || bracket.first > 0;
      split.below = from_above
                        ? row.count() - found.above - split.at_low - split.between - split.at_high
                        : found.below;
      for (size_t r = bracket.first; r < bracket.end; ++r) {
        const auto end = element_of(loops_, Bracketed<C>{bracket.low, bracket.high, split},
                                    between_of(found), wanted.ranks[r]);
        if (!end) return std::nullopt;
        ends[r] = *end;
      }
    }
    // Where both ends are in one bracket, all between them is.
    RangeSums sums = ends_of(wanted, ends);
    if (are_two || wanted.open_below || wanted.open_above) sums.between = found.sum;
    const C lower = lower_bound(wanted, ends), upper = upper_bound(wanted, ends);
    sums.between += loops_.sum_between(found.kept.data(), found.kept.size(), lower, upper);
    keep_memory_of(found);
    return finished(row, sums, lower, upper, executor);
  }

  static RangeSums ends_of(const RangeRanks& wanted, const Ranked<C>* found) {
    const auto end = [](const Ranked<C>& one) {
      return RangeEnd{static_cast<double>(one.value), one.smaller, one.ties};
    };
    RangeSums sums{open_below(), open_above(), 0.0, false};
    if (!wanted.open_below) sums.lower = end(found[0]);
    if (!wanted.open_above) sums.upper = end(found[wanted.ranks.size() - 1]);
    sums.has_nan = sums.lower.value != sums.lower.value || sums.upper.value != sums.upper.value;
    return sums;
  }

  static C lower_bound(const RangeRanks& wanted, const Ranked<C>* found) {
    return wanted.open_below ? kOpen : found[0].value;
  }
  static C upper_bound(const RangeRanks& wanted, const Ranked<C>* found) {
    return wanted.open_above ? kOpen : found[wanted.ranks.size() - 1].value;
  }

  static bool has_nan(const C* values, int64_t n) {
    return std::any_of(values, values + n, [](C v) { return v != v; });
  }

  // A sum in the compute type may overflow where float64's does not.
  RangeSums finished(const Row<T>& row, RangeSums sums, C lower, C upper,
                     Executor& executor) const {
    if (!std::isfinite(sums.between)) sums.between = read_again(row, lower, upper, executor);
    return sums;
  }

  Found collect(const Row<T>& row, const RangeBrackets<C>& brackets, Executor& executor) const {
    const auto fill = [&](Found& into, int64_t begin, int64_t end) {
      into.kept = std::move(scratch<C, Scratch::kCandidates>());
      into.sums.reserve(static_cast<size_t>(end - begin));
      row.for_each_block(begin, end, [&](const C* values, int64_t n) {
        into.kept.reserve_more(n + kSlack);
        C* const to = into.kept.data() + into.kept.size();
        const RangeSplit split = loops_.split_range(values, n, brackets, to);
        into.kept.set_size(into.kept.size() + split.kept);
        into.below += split.below;
        into.above += split.above;
        into.sums.push_back(split.sum);
      });
    };
    const auto merge = [](Found& into, const Found& from) {
      into.below += from.below;
      into.above += from.above;
      into.kept.append(from.kept.data(), from.kept.size());
      into.sums.insert(into.sums.end(), from.sums.begin(), from.sums.end());
    };
    Found found = reduce_parts<Found>(row.blocks(), fill, merge, executor);
    for (const double sum : found.sums) found.sum += sum;
    return found;
  }

  Split<C> split_kept(const Found& found, const Ends& ends) const {
    C* const between = scratch_of<C, Scratch::kBetween>(found.kept.size());
    return loops_.split(found.kept.data(), found.kept.size(), ends.low, ends.high, between);
  }
  // Of the last split.
  static const C* between_of(const Found& found) {
    return scratch_of<C, Scratch::kBetween>(found.kept.size());
  }
  static void keep_memory_of(Found& found) {
    scratch<C, Scratch::kCandidates>() = std::move(found.kept);
  }

  double read_again(const Row<T>& row, C lower, C upper, Executor& executor) const {
    std::vector<double> sums(static_cast<size_t>(row.blocks()));
    parallel_for(executor, row.blocks(), kBlockLength, [&](int64_t begin, int64_t end) {
      int64_t block = begin;
      row.for_each_block(begin, end, [&](const C* values, int64_t n) {
        sums[static_cast<size_t>(block++)] = loops_.sum_between(values, n, lower, upper);
      });
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  }

  const Loops<C>& loops_ = loops_of<C>(0);
  const RowSelector<T> selector_{};
};

}  // namespace tailops
