#pragma once

// Elements of several ranks in one row: every rank is bracketed between two elements of a sample,
// one pass over the row keeps what lies inside the brackets, and the few that are kept are
// searched. The row is read once, a block at a time. A bracket that misses costs a search that
// needs no luck; short rows are searched as they are.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/select/bracket.h"
#include "cpu/select/integers.h"
#include "cpu/select/kept.h"
#include "cpu/select/kth_smallest.h"
#include "cpu/select/row.h"
#include "cpu/select/row_brackets.h"
#include "cpu/simd/loops.h"

namespace tailops {

template <typename T>
class RowSelector {
 public:
  using C = SelectionType<T>;

  // Of these, all are searched as they are.
  static constexpr int64_t kShort = 2048;

  // The elements of these ranks, which ascend; all NaN where there is one.
  void select(const Row<T>& row, const std::vector<int64_t>& ranks, Ranked<C>* found,
              Executor& executor) const {
    if (row.count() > kShort) return sampled(row, ranks, found, executor);
    C buffer[kShort + kSlack];
    select_short(row.values(buffer), row.count(), ranks, found);
  }

  void select_short(const C* values, int64_t n, const std::vector<int64_t>& ranks,
                    Ranked<C>* found) const {
    if (n <= kTiny) return sorted(values, n, ranks, found);
    C* const spare = scratch_of<C, Scratch::kFew>(spare_length(n));
    for (const int64_t rank : ranks) *found++ = loops_.kth_smallest(values, n, rank, spare);
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

 private:
  static constexpr int64_t kTiny = 24;

  struct Found {
    std::vector<Kept<C>> inside;
    bool has_nan = false;
  };

  // By insertion, without a branch on a value.
  static void sorted(const C* values, int64_t n, const std::vector<int64_t>& ranks,
                     Ranked<C>* found) {
    C ascending[kTiny];
    bool has_nan = false;
    for (int64_t i = 0; i < n; ++i) {
      C carried = values[i];
      has_nan |= carried != carried;
      for (int64_t k = 0; k < i; ++k) {
        const C here = ascending[k];
        ascending[k] = carried < here ? carried : here;
        carried = carried < here ? here : carried;
      }
      ascending[i] = carried;
    }
    if (has_nan) return all_nan(ranks, found);
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

  void sampled(const Row<T>& row, const std::vector<int64_t>& ranks, Ranked<C>* found,
               Executor& executor) const {
    const std::vector<RankBracket<C>> brackets = brackets_of(loops_, row, ranks);
    if (brackets.empty()) return all_nan(ranks, found);
    Found kept = collect(row, brackets, executor);
    if (kept.has_nan) return all_nan(ranks, found);
    for (size_t b = 0; b < brackets.size(); ++b) {
      const Kept<C>& inside = kept.inside[b];
      const Bracketed<C> all = inside.bracketed(brackets[b].low, brackets[b].high);
      for (size_t r = brackets[b].first; r < brackets[b].end; ++r) {
        const std::optional<Ranked<C>> one =
            element_of(loops_, all, inside.candidates.data(), ranks[r]);
        found[r] = one ? *one : alone(row, ranks[r]);
      }
    }
    scratch<C, Scratch::kCandidates>() = std::move(kept.inside[0].candidates);
  }

  Found collect(const Row<T>& row, const std::vector<RankBracket<C>>& brackets,
                Executor& executor) const {
    const auto fill = [&](Found& into, int64_t begin, int64_t end) {
      into.inside.resize(brackets.size());
      into.inside[0].candidates = std::move(scratch<C, Scratch::kCandidates>());
      row.for_each_block(begin, end, [&](const C* values, int64_t length) {
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
    return reduce_parts<Found>(row.blocks(), fill, merge, executor);
  }

  // Of a rank that its bracket does not hold.
  Ranked<C> alone(const Row<T>& row, int64_t rank) const {
    std::vector<C> copy(static_cast<size_t>(row.buffer_length()));
    return kth_smallest(loops_, row.values(copy.data()), row.count(), rank);
  }

  const Loops<C>& loops_ = loops_of<C>(0);
};

// No floating-point type holds them all.
template <>
class RowSelector<int64_t> : public IntegerSelector<int64_t> {};
template <>
class RowSelector<uint64_t> : public IntegerSelector<uint64_t> {};

}  // namespace tailops
