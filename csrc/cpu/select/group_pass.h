#pragma once

// The one pass over a group, and what may be made of what it has found: the order statistics of a
// rank, and the sums.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/executor.h"
#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/select/group_errors.h"
#include "cpu/select/kept.h"
#include "cpu/select/order_statistics.h"
#include "formulas/band.h"
#include "formulas/tail_loss.h"

namespace tailops {

template <typename T>
class GroupPass {
 public:
  using C = ComputeType<T>;

  // From below: all that is not below the band is kept, and nothing counted at the bracket's ends.
  GroupPass(const GroupErrors<T>& of, const Bracket<C>& bracket, bool from_below,
            Executor& executor)
      : of_(of), bracket_(bracket), from_below_(from_below), executor_(executor), found_(run()) {}
  GroupPass(const GroupPass&) = delete;
  GroupPass& operator=(const GroupPass&) = delete;
  ~GroupPass() { scratch<C, Scratch::kCandidates>() = std::move(found_.candidates); }

  int64_t valid() const { return found_.valid; }
  const GrowingBuffer<C>& candidates() const { return found_.candidates; }

  // Nothing if the bracket does not hold the rank.
  std::optional<OrderStatistics<C>> statistics(const Rank& rank) const {
    const C* const candidates = found_.candidates.data();
    const int64_t kept = found_.candidates.size();
    if (from_below_) {
      return statistics_of_largest(of_.loops, rank, candidates, kept, found_.below);
    }
    C* const between = scratch_of<C, Scratch::kBetween>(kept);
    Bracketed<C> all{bracket_.low, bracket_.high,
                     of_.loops.split(candidates, kept, bracket_.low, bracket_.high, between)};
    if (all.counts.has_nan) return nan_statistics<C>();
    all.counts.below += found_.below;
    all.counts.at_low += found_.at_low;
    all.counts.at_high += found_.at_high;
    return statistics_of<C>(rank, [&](int64_t one) {
      return element_of(of_.loops, all, static_cast<const C*>(between), one);
    });
  }

  // From what was far and what was kept. Nothing if the threshold is so far from where it was
  // expected that what was taken for far from it is not.
  std::optional<Sums> sums(const Tail<C>& tail) const {
    const bool as_expected =
        tail.band_low >= bracket_.band_low && (from_below_ || tail.band_high <= bracket_.band_high);
    if (!as_expected) return std::nullopt;
    const C* const kept = found_.candidates.data();
    Sums total = found_.far;
    total += block_sum<Sums>(
        found_.candidates.size(),
        [&](int64_t begin, int64_t end) {
          Sums sums;
          of_.loops.sum_errors(kept + begin, end - begin, of_.parameters, tail, sums);
          return sums;
        },
        executor_);
    add_equal(total, bracket_.low, found_.at_low, tail);
    add_equal(total, bracket_.high, found_.at_high, tail);
    return total;
  }

 private:
  // Of all blocks; the candidates are what is near the bracket.
  struct Found : Kept<C> {
    int64_t valid = 0;
    Sums far;
  };

  Found run() const {
    const int64_t blocks = of_.blocks();
    if (blocks == 1) {
      Found all;
      all.candidates = std::move(scratch<C, Scratch::kCandidates>());
      all.far = collect_block(0, all);
      return all;
    }
    std::vector<Sums> far(static_cast<size_t>(blocks));
    const auto fill = [&](Found& into, int64_t begin, int64_t end) {
      into.candidates = std::move(scratch<C, Scratch::kCandidates>());
      for (int64_t block = begin; block < end; ++block) {
        far[static_cast<size_t>(block)] = collect_block(block, into);
      }
    };
    const auto merge = [](Found& into, const Found& from) {
      into.append(from);
      into.valid += from.valid;
    };
    Found all = reduce_parts<Found>(blocks, fill, merge, executor_);
    for (const Sums& sums : far) all.far += sums;
    return all;
  }

  // The sums of what is far; the rest into `into`.
  Sums collect_block(int64_t block, Found& into) const {
    const auto pass = from_below_ ? of_.loops.collect_from : of_.loops.collect;
    Sums sums;
    const int64_t begin = block * kBlockLength;
    of_.group.for_each_valid(
        begin, std::min(begin + kBlockLength, of_.length()), [&](const Piece<T>& piece) {
          into.candidates.reserve_more(piece.length + kSlack);
          Collected<C> found;
          found.candidates = into.candidates.data();
          found.count = into.candidates.size();
          pass(piece.y_true, piece.y_pred, piece.length, of_.parameters, bracket_, found);
          into.candidates.set_size(found.count);
          into.below += found.below;
          into.at_low += found.at_low;
          into.at_high += found.at_high;
          into.valid += piece.length;
          sums.weighted = found.below_sum +
                          of_.parameters.template as<double>().weight_in_tail() * found.above_sum;
          sums.squares = found.square_sum;
        });
    return sums;
  }

  void add_equal(Sums& total, C error, int64_t count, const Tail<C>& tail) const {
    if (count == 0) return;
    Sums one;
    of_.loops.sum_errors(&error, 1, of_.parameters, tail, one);
    total.weighted += static_cast<double>(count) * one.weighted;
    total.threshold_gradient += static_cast<double>(count) * one.threshold_gradient;
  }

  const GroupErrors<T>& of_;
  const Bracket<C> bracket_;
  const bool from_below_;
  Executor& executor_;
  Found found_;
};

}  // namespace tailops
