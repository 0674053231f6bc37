#pragma once

// The threshold of a group, exactly, and where that costs nothing more its sums as well.
//
// A small sample brackets the rank. One pass over the group then counts what lies below the
// bracket, keeps what lies inside it, and, since the indicator is 0 or 1 away from the threshold,
// already adds up everything that is far from it: where few elements are near, this pass is all
// that the forward needs. Where little lies above the bracket, as for a high percentile, only its
// lower end counts: what is above is kept too. A bracket that turns out not to hold the rank is
// drawn once more, wider; after that, radix.h. Small groups try the bracket of the one before.
//
// How many elements are not ignored, and so the rank, is known only after the pass.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "call/options.h"
#include "call/sample_plan.h"
#include "core/executor.h"
#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/group.h"
#include "cpu/select/bracket.h"
#include "cpu/select/group_errors.h"
#include "cpu/select/group_pass.h"
#include "cpu/select/group_sample.h"
#include "cpu/select/order_statistics.h"
#include "cpu/select/radix.h"
#include "formulas/band.h"

namespace tailops {

template <typename T>
class Selector {
 public:
  using C = ComputeType<T>;

  using Result = Selected<C>;

  Selector(const Group<T>& group, const SelectionPlan& plan, const Loops<T>& loops,
           const LossParameters<C>& parameters, Executor& executor)
      : errors_{group, loops, parameters}, plan_(plan), executor_(executor) {}

  Result select(bool with_sums, SelectionHint<C>& hint) const {
    if (plan_.path == SelectionPath::kRadix) return radix();
    if (plan_.path != SelectionPath::kAuto) return sampled(with_sums, hint);
    if (errors_.length() <= kBufferLength) return buffered();
    if (hint.is_set) {
      if (const std::optional<Result> result = hinted(hint)) return *result;
      hint.is_set = false;
      hint.may_be_tight = false;
    }
    return sampled(with_sums, hint);
  }

 private:
  Rank rank_among(int64_t valid) const {
    return valid == errors_.length() ? plan_.rank : plan_.rank_among(valid);
  }

  // Of a group of which nothing is left: no loss, no gradient.
  static Result of_nothing() {
    Result nothing;
    nothing.statistics = {C(0), C(0), 1, 1};
    nothing.sums = Sums();
    return nothing;
  }

  Result radix() const {
    const int64_t valid = errors_.length() - count_ignored(errors_.group, executor_);
    if (valid == 0) return of_nothing();
    const Rank rank = rank_among(valid);
    return {radix_select(errors_, rank, executor_), rank, valid};
  }

  Result buffered() const {
    C buffer[kBufferLength + kSlack];
    const int64_t valid = errors_.write(0, errors_.length(), buffer);
    if (valid == 0) return of_nothing();
    const Rank rank = rank_among(valid);
    return {*statistics_of_largest(errors_.loops, rank, buffer, valid, 0), rank, valid};
  }

  // With the bracket of the group before, if it holds the rank here and keeps no more than a sample
  // would allow.
  std::optional<Result> hinted(const SelectionHint<C>& hint) const {
    Bracket<C> bracket =
        with_band(hint.low, C(2) * hint.low, plan_.rank.factor, errors_.parameters);
    if (!hint.one_pass) bracket.band_low = bracket.low;
    const GroupPass<T> pass(errors_, bracket, true, executor_);
    if (!are_few(pass.candidates().size(), errors_.length())) return std::nullopt;
    return result_of(pass, hint.one_pass);
  }

  Result sampled(bool with_sums, SelectionHint<C>& hint) const {
    const GroupSample<T> sample(errors_, plan_);
    return select_sampled(
        [&](double deviations) {
          const bool must_miss = plan_.path == SelectionPath::kMiss && deviations == kReaches[0];
          return in_bracket(must_miss ? sample.bracket_beyond() : sample.bracket(deviations),
                            sample, with_sums, hint);
        },
        [&] { return radix(); });
  }

  // Nothing if the bracket does not hold the rank. Where it does, a small group leaves the next one
  // a lower end.
  std::optional<Result> in_bracket(Bracket<C> bracket, const GroupSample<T>& sample, bool with_sums,
                                   SelectionHint<C>& hint) const {
    const bool one_pass = with_sums && sample.few_are_near(bracket);
    if (!one_pass) bracket = {bracket.low, bracket.low, bracket.high, bracket.high};
    const bool from_below = sample.few_are_above(bracket);
    const GroupPass<T> pass(errors_, bracket, from_below, executor_);
    const std::optional<Result> result = result_of(pass, one_pass);
    if (!result) return std::nullopt;
    hint.is_set = from_below;
    hint.one_pass = one_pass;
    hint.low = bracket.low;
    if (hint.may_be_tight && from_below && errors_.length() <= kBlockLength) {
      hint.low = tightened(bracket.low, pass.candidates());
    }
    return result;
  }

  std::optional<Result> result_of(const GroupPass<T>& pass, bool with_sums) const {
    const int64_t valid = pass.valid();
    const Rank rank = rank_among(valid);
    // Made where it is returned: a group of a few hundred elements feels a copy.
    std::optional<Result> result;
    if (valid == 0) {
      result = of_nothing();
    } else if (const std::optional<OrderStatistics<C>> statistics = pass.statistics(rank)) {
      result.emplace(*statistics, rank, valid);
      if (with_sums) {
        result->sums = pass.sums(tail_of(result->threshold, result->statistics.lower,
                                         result->statistics.upper, errors_.parameters));
      }
    }
    return result;
  }

  // A lower end that a group of the same distribution has enough above, and no more than that: the
  // sample knew less than the candidates do.
  C tightened(C low, const GrowingBuffer<C>& candidates) const {
    const auto above = static_cast<double>(errors_.length() - plan_.rank.lower);
    const auto wanted = static_cast<int64_t>(above + 4.0 * std::sqrt(above) + 2.0);
    const int64_t kept = candidates.size();
    if (wanted >= kept) return low;
    return std::max(low, kth_smallest(errors_.loops, candidates.data(), kept, kept - wanted).value);
  }

  const GroupErrors<T> errors_;
  const SelectionPlan& plan_;
  Executor& executor_;
};

}  // namespace tailops
