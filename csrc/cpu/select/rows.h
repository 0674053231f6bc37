#pragma once

// Elements of several ranks in one contiguous row: every rank is bracketed between two elements of
// a sample, one pass over the row keeps what lies inside the brackets, and the few that are kept
// are searched. The row is read once, a block at a time. A bracket that misses costs a search that
// needs no luck; short rows are searched as they are.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "call/sample_plan.h"
#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/group.h"
#include "cpu/pass/widen.h"
#include "cpu/select/bracket.h"
#include "cpu/select/integers.h"
#include "cpu/select/kept.h"
#include "cpu/select/kth_smallest.h"
#include "cpu/simd/loops.h"

namespace tailops {

// What ranks are searched in: floating-point numbers that hold every T exactly. None does for
// 64-bit integers.
template <typename T>
using SelectionType =
    std::conditional_t<std::is_integral_v<T>, std::conditional_t<sizeof(T) == 8, T, double>,
                       ComputeType<T>>;

template <typename T>
class RowSelector {
 public:
  using C = SelectionType<T>;

  // The elements of these ranks, which ascend; all NaN where there is one.
  void select(const T* x, int64_t n, const std::vector<int64_t>& ranks, Ranked<C>* found,
              Executor& executor) const {
    if (n <= kTiny) return sorted(x, n, ranks, found);
    if (n <= kShort) {
      C buffer[std::is_same_v<T, C> ? 1 : kShort];
      const C* const values = widened(x, n, buffer);
      C* const spare = scratch_of<C, Scratch::kFew>(spare_length(n));
      for (const int64_t rank : ranks) *found++ = loops_.kth_smallest(values, n, rank, spare);
      return;
    }
    sampled(x, n, ranks, found, executor);
  }

  // The same of some rows of as many elements as the network has lines, row by row.
  void select_rows(const T* x, int64_t rows, const SelectionNetwork& network,
                   Ranked<C>* found) const {
    const int64_t length = network.lines(), size = rows * length;
    C* const buffer = std::is_same_v<T, C> ? nullptr : scratch_of<C, Scratch::kBetween>(size);
    const C* const values = widened(x, size, buffer);
    C* const columns = scratch_of<C, Scratch::kFew>(size);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t k = 0; k < length; ++k) columns[k * rows + r] = values[r * length + k];
    }
    loops_.ranked_columns(columns, rows, rows, network, found);
  }

  // How many are NaN.
  int64_t count_nan(const T* x, int64_t n, Executor& executor) const {
    const auto fill = [&](int64_t& count, int64_t begin, int64_t end) {
      for_each_block(x, n, begin, end, [&](const C* values, int64_t length) {
        for (int64_t i = 0; i < length; ++i) count += values[i] != values[i];
      });
    };
    const auto merge = [](int64_t& into, int64_t from) { into += from; };
    return reduce_parts<int64_t>(blocks_of(n), fill, merge, executor);
  }

 private:
  static constexpr int64_t kTiny = 24;
  static constexpr int64_t kShort = 2048;
  static constexpr int64_t kLargestSample = 4096;

  // [low, high] holds ranks[first … end), if the sample is right.
  struct RankBracket {
    C low;
    C high;
    size_t first;
    size_t end;
  };

  struct Found {
    std::vector<Kept<C>> inside;
    bool has_nan = false;
  };

  static int64_t blocks_of(int64_t n) { return (n + kBlockLength - 1) / kBlockLength; }

  // body(values, length) for every block, in the type of the search.
  template <typename Body>
  static void for_each_block(const T* x, int64_t n, int64_t first, int64_t end, const Body& body) {
    C buffer[std::is_same_v<T, C> ? 1 : kBlockLength];
    for (int64_t block = first; block < end; ++block) {
      const int64_t begin = block * kBlockLength;
      const int64_t length = std::min(kBlockLength, n - begin);
      body(widened(x + begin, length, buffer), length);
    }
  }

  // By counting how many come before each: without a branch on a value. Insertion would choose the
  // lesser and the greater of two numbers, for which a compiler may branch.
  static void sorted(const T* x, int64_t n, const std::vector<int64_t>& ranks, Ranked<C>* found) {
    C buffer[kTiny], ascending[kTiny];
    int64_t place[kTiny];
    const C* const values = widened(x, n, buffer);
    bool has_nan = false;
    for (int64_t i = 0; i < n; ++i) {
      const C value = values[i];
      has_nan |= value != value;
      int64_t before = 0;
      for (int64_t k = 0; k < i; ++k) {
        const bool is_before = values[k] <= value;
        before += is_before;
        place[k] += !is_before;
      }
      place[i] = before;
    }
    if (has_nan) return all_nan(ranks, found);
    for (int64_t i = 0; i < n; ++i) ascending[place[i]] = values[i];
    for (const int64_t rank : ranks) {
      const C value = ascending[rank];
      int64_t first = rank, end = rank + 1;
      while (first > 0 && ascending[first - 1] == value) --first;
      while (end < n && ascending[end] == value) ++end;
      *found++ = {value, first, end - first};
    }
  }

  static void all_nan(const std::vector<int64_t>& ranks, Ranked<C>* found) {
    std::fill_n(found, ranks.size(), nan_ranked<C>());
  }

  void sampled(const T* x, int64_t n, const std::vector<int64_t>& ranks, Ranked<C>* found,
               Executor& executor) const {
    const std::vector<RankBracket> brackets = brackets_of(x, n, ranks);
    if (brackets.empty()) return all_nan(ranks, found);
    Found kept = collect(x, n, brackets, executor);
    if (kept.has_nan) return all_nan(ranks, found);
    for (size_t b = 0; b < brackets.size(); ++b) {
      const Kept<C>& inside = kept.inside[b];
      const Bracketed<C> all = inside.bracketed(brackets[b].low, brackets[b].high);
      for (size_t r = brackets[b].first; r < brackets[b].end; ++r) {
        const std::optional<Ranked<C>> one =
            element_of(loops_, all, inside.candidates.data(), ranks[r]);
        found[r] = one ? *one : alone(x, n, ranks[r]);
      }
    }
    scratch<C, Scratch::kCandidates>() = std::move(kept.inside[0].candidates);
  }

  // A random element in each of some equal strata, the same ones at every call, and its order
  // statistics some standard deviations to both sides of each rank's own. None where the sample has
  // a NaN. Brackets that overlap are one.
  std::vector<RankBracket> brackets_of(const T* x, int64_t n,
                                       const std::vector<int64_t>& ranks) const {
    const int64_t m = std::clamp<int64_t>(
        static_cast<int64_t>(std::pow(static_cast<double>(n), 2.0 / 3.0)), 256, kLargestSample);
    C sample[kLargestSample], spare[spare_length(kLargestSample)];
    for (int64_t i = 0; i < m; ++i) {
      const T one = x[SelectionPlan::stratified(i, m, n)];
      C buffer[1];
      sample[i] = *widened(&one, 1, buffer);
    }
    const auto at = [&](double place) {
      return element_of_sample(loops_, static_cast<const C*>(sample), m, place, spare);
    };
    std::vector<RankBracket> brackets;
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
        brackets.push_back({low, high, r, r + 1});
      }
    }
    return brackets;
  }

  Found collect(const T* x, int64_t n, const std::vector<RankBracket>& brackets,
                Executor& executor) const {
    const auto fill = [&](Found& into, int64_t begin, int64_t end) {
      into.inside.resize(brackets.size());
      into.inside[0].candidates = std::move(scratch<C, Scratch::kCandidates>());
      for_each_block(x, n, begin, end, [&](const C* values, int64_t length) {
        for (size_t b = 0; b < brackets.size(); ++b) {
          Kept<C>& inside = into.inside[b];
          GrowingBuffer<C>& kept = inside.candidates;
          kept.reserve_more(length + kSlack);
          const Split<C> split = loops_.split(values, length, brackets[b].low, brackets[b].high,
                                              kept.data() + kept.size());
          kept.set_size(kept.size() + split.between);
          inside.below += split.below;
          inside.at_low += split.at_low;
          inside.at_high += split.at_high;
          into.has_nan |= split.has_nan;
        }
      });
    };
    const auto merge = [](Found& into, const Found& from) {
      for (size_t b = 0; b < into.inside.size(); ++b) {
        into.inside[b].append(from.inside[b]);
      }
      into.has_nan |= from.has_nan;
    };
    return reduce_parts<Found>(blocks_of(n), fill, merge, executor);
  }

  // Of a rank that its bracket does not hold.
  Ranked<C> alone(const T* x, int64_t n, int64_t rank) const {
    std::vector<C> copy(std::is_same_v<T, C> ? 0 : static_cast<size_t>(n));
    return kth_smallest(loops_, widened(x, n, copy.data()), n, rank);
  }

  const Loops<C>& loops_ = loops_of<C>(0);
};

// No floating-point type holds them all.
template <>
class RowSelector<int64_t> : public IntegerSelector<int64_t> {};
template <>
class RowSelector<uint64_t> : public IntegerSelector<uint64_t> {};

}  // namespace tailops
