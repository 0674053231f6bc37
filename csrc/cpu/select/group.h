#pragma once

// The threshold of a group, exactly, and where that costs nothing more its sums as well.
//
// A small sample brackets the rank. One pass over the group then counts what lies below the
// bracket, keeps what lies inside it, and, since the indicator is 0 or 1 away from the threshold,
// already adds up everything that is far from it: where few elements are near, this pass is all
// that the forward needs. Where little lies above the bracket, as for a high percentile, only its
// lower end counts: what is above is kept too. A bracket that turns out not to hold the rank is
// drawn once more, wider; after that, radix_select.h. Small groups try the bracket of the one
// before.
//
// Ignored elements have an error of zero here, before every other one: a rank among the others is
// that many further among all. How many they are is known only after the pass.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "call/options.h"
#include "call/sample_plan.h"
#include "core/executor.h"
#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/group.h"
#include "cpu/select/order_statistics.h"
#include "cpu/select/radix.h"
#include "cpu/simd/loops.h"
#include "formulas/band.h"

namespace tailops {

template <typename T>
class Selector {
 public:
  using C = ComputeType<T>;

  using Result = Selected<C>;

  Selector(const Group<T>& group, const SelectionPlan& plan, const Loops<T>& loops,
           const LossParameters<C>& parameters, Executor& executor)
      : group_(group), plan_(plan), loops_(loops), parameters_(parameters), executor_(executor) {}

  Result select(bool with_sums, SelectionHint<C>& hint) const {
    if (plan_.path == SelectionPath::kRadix) return radix();
    if (plan_.path != SelectionPath::kAuto) return sampled(with_sums, hint);
    if (group_.length <= kBufferLength) return buffered();
    if (hint.is_set) {
      if (const std::optional<Result> result = hinted(hint)) return *result;
      hint.is_set = false;
      hint.may_be_tight = false;
    }
    return sampled(with_sums, hint);
  }

 private:
  struct Sample {
    const C* errors;
    int64_t runs;
    int64_t run;
    int64_t ignored;

    int64_t size() const { return runs * run; }
  };

  // What one pass over the group has found, of all its blocks.
  struct Collection {
    int64_t below = 0;
    int64_t at_low = 0;
    int64_t at_high = 0;
    int64_t ignored = 0;
    GrowingBuffer<C> candidates;
    Sums far;
  };

  // The rank among all elements, so many of them ignored.
  Rank rank_with(int64_t ignored) const {
    if (ignored == 0) return plan_.rank;
    Rank rank = plan_.rank_among(group_.length - ignored);
    rank.lower += ignored;
    return rank;
  }

  Result of(const OrderStatistics<C>& statistics, int64_t ignored) const {
    return {statistics, rank_with(ignored), group_.length - ignored, ignored};
  }

  // Of a group of which nothing is left: no loss, no gradient.
  static Result of_nothing() {
    Result nothing;
    nothing.statistics = {C(0), C(0), 1, 1};
    nothing.sums = Sums();
    return nothing;
  }

  Result radix() const {
    const int64_t ignored = count_ignored(group_, executor_);
    if (ignored == group_.length) return of_nothing();
    return of(radix_select(group_, rank_with(ignored), loops_, parameters_, executor_), ignored);
  }

  Result buffered() const {
    C buffer[kBufferLength + kSlack];
    int64_t ignored = 0;
    group_.for_each_piece(0, group_.length, [&](const Piece<T>& piece, int64_t) {
      loops_.errors(piece.y_true, piece.y_pred, piece.length, parameters_, buffer);
      ignored = piece.ignored;
    });
    if (ignored == group_.length) return of_nothing();
    return of(*statistics_of_largest(loops_, rank_with(ignored), buffer, group_.length, 0),
              ignored);
  }

  // With the bracket of the group before, if it holds the rank here and keeps no more than a sample
  // would allow.
  std::optional<Result> hinted(const SelectionHint<C>& hint) const {
    Bracket<C> bracket = with_band(hint.low, C(2) * hint.low, plan_.rank.factor, parameters_);
    if (!hint.one_pass) bracket.band_low = bracket.low;
    int64_t kept = 0;
    const std::optional<Result> result = attempt(bracket, hint.one_pass, true, kept);
    return 4 * kept <= group_.length ? result : std::nullopt;
  }

  Result sampled(bool with_sums, SelectionHint<C>& hint) const {
    const Sample sample = draw();
    for (const double deviations : {kDeviations, 4.0 * kDeviations}) {
      const bool must_miss = plan_.path == SelectionPath::kMiss && deviations == kDeviations;
      Bracket<C> bracket = must_miss ? beyond(sample) : bracket_of(sample, deviations);
      const bool one_pass = with_sums && few_are_near(sample, bracket);
      if (!one_pass) bracket = {bracket.low, bracket.low, bracket.high, bracket.high};
      const bool from_below = few_are_above(sample, bracket);
      int64_t kept = 0;
      C low_of_next = bracket.low;
      const bool may_narrow = hint.may_be_tight && from_below && group_.length <= kBlockLength;
      const std::optional<Result> result =
          attempt(bracket, one_pass, from_below, kept, may_narrow ? &low_of_next : nullptr);
      if (!result) continue;
      hint.is_set = from_below;
      hint.one_pass = one_pass;
      hint.low = low_of_next;
      return *result;
    }
    return radix();
  }

  // A lower end that a group of the same distribution has enough above, and no more than that: the
  // sample knew less than the candidates do.
  C tightened(C low, const GrowingBuffer<C>& candidates) const {
    const auto above = static_cast<double>(group_.length - plan_.rank.lower);
    const auto wanted = static_cast<int64_t>(above + 4.0 * std::sqrt(above) + 2.0);
    const int64_t kept = candidates.size();
    if (wanted >= kept) return low;
    return std::max(low, kth_smallest(loops_, candidates.data(), kept, kept - wanted).value);
  }

  // Nothing if the bracket does not hold the rank. A small group may have a tighter lower end for
  // the next one.
  std::optional<Result> attempt(const Bracket<C>& bracket, bool one_pass, bool from_below,
                                int64_t& kept, C* low_of_next = nullptr) const {
    Collection found = collect(bracket, from_below ? loops_.collect_from : loops_.collect);
    kept = found.candidates.size();
    std::optional<Result> result;
    if (found.ignored == group_.length) {
      result = of_nothing();
    } else {
      const Rank rank = rank_with(found.ignored);
      const std::optional<OrderStatistics<C>> statistics =
          from_below
              ? statistics_of_largest(loops_, rank, found.candidates.data(), kept, found.below)
              : resolve(rank, bracket, found);
      if (statistics) {
        result = of(*statistics, found.ignored);
        if (one_pass) result->sums = sums_of(bracket, found, from_below, *result);
      }
    }
    if (low_of_next != nullptr) *low_of_next = tightened(bracket.low, found.candidates);
    scratch<C, Scratch::kCandidates>() = std::move(found.candidates);
    return result;
  }

  // --- The sample: a random run of neighbours in each of some equal strata, the same at every
  // call.

  Sample draw() const {
    const int64_t runs = plan_.sample_runs;
    const int64_t run = std::min(kRunLength, group_.length);
    C* const errors = scratch_of<C, Scratch::kSample>(runs * run);
    int64_t ignored = 0;
    for (int64_t r = 0; r < runs; ++r) {
      const int64_t first = SelectionPlan::stratified(r, runs, group_.length - run + 1);
      group_.for_each_piece(first, first + run, [&](const Piece<T>& piece, int64_t) {
        loops_.errors(piece.y_true, piece.y_pred, piece.length, parameters_, errors + r * run);
        ignored += piece.ignored;
      });
    }
    return {errors, runs, run, ignored};
  }

  // The sample's order statistics that many standard deviations to both sides of the rank's own.
  Bracket<C> bracket_of(const Sample& sample, double deviations) const {
    const int64_t valid = sample.size() - sample.ignored;
    const SelectionPlan plan =
        sample.ignored == 0
            ? plan_
            : plan_.among(std::max<int64_t>(1, group_.length * valid / sample.size()));
    const auto ignored = static_cast<double>(sample.ignored);
    const auto low_at = [&](double reach) {
      return order_statistic(sample, ignored + plan.lower_place(valid, reach));
    };
    const C low = low_at(deviations);
    const double unlike = deviations * std::sqrt(clustering(sample, low));
    return with_band(unlike > deviations ? low_at(unlike) : low,
                     order_statistic(sample, ignored + plan.upper_place(valid, unlike)),
                     plan.rank.factor, parameters_);
  }

  // How much larger the variance of ranks in the sample is than that of independent elements, since
  // neighbours may be alike. Estimated from how unevenly what is above a value falls on the runs.
  static double clustering(const Sample& sample, C value) {
    int sum = 0, squares = 0;
    for (int64_t r = 0; r < sample.runs; ++r) {
      const int above =
          count(sample.errors + r * sample.run, sample.run, [&](C e) { return e > value; });
      sum += above;
      squares += above * above;
    }
    const double runs = static_cast<double>(sample.runs), run = static_cast<double>(sample.run);
    const double mean = sum / runs;
    const double independent = mean * (1.0 - mean / run);
    if (independent <= 0.0) return 1.0;
    const double spread = (squares / runs - mean * mean) / independent;
    return spread < kClustered ? 1.0 : std::min(spread, run);
  }

  template <typename Condition>
  static int count(const C* errors, int64_t n, const Condition& condition) {
    int found = 0;
    for (int64_t i = 0; i < n; ++i) found += condition(errors[i]);
    return found;
  }

  // −∞ and ∞ beyond the ends.
  C order_statistic(const Sample& sample, double rank) const {
    const C infinity = std::numeric_limits<C>::infinity();
    if (rank < 0.0) return -infinity;
    if (rank >= static_cast<double>(sample.size())) return infinity;
    C* const spare = scratch_of<C, Scratch::kFew>(spare_length(sample.size()));
    return loops_.kth_smallest(sample.errors, sample.size(), static_cast<int64_t>(rank), spare)
        .value;
  }

  // A bracket that no element of the sample is in, for tests.
  Bracket<C> beyond(const Sample& sample) const {
    const C largest = *std::max_element(sample.errors, sample.errors + sample.size());
    const C above = C(2) * largest + C(1);
    return with_band(above, above, plan_.rank.factor, parameters_);
  }

  // Whether what lies above the lower end of the band is a small part.
  static bool few_are_above(const Sample& sample, const Bracket<C>& bracket) {
    const int above =
        count(sample.errors, sample.size(), [&](C e) { return e >= bracket.band_low; });
    return above * 4 <= sample.size();
  }

  // Whether what lies in the band, to be kept and weighted one by one, is a small part.
  static bool few_are_near(const Sample& sample, const Bracket<C>& bracket) {
    const int near = count(sample.errors, sample.size(), [&](C e) {
      return (e >= bracket.band_low) & (e <= bracket.band_high) & (e != bracket.low) &
             (e != bracket.high);
    });
    return near * 4 <= sample.size();
  }

  // --- The pass.

  using Pass = decltype(Loops<T>::collect);

  Collection collect(const Bracket<C>& bracket, Pass pass) const {
    const int64_t blocks = (group_.length + kBlockLength - 1) / kBlockLength;
    if (blocks == 1) {
      Collection all;
      all.candidates = std::move(scratch<C, Scratch::kCandidates>());
      all.far = collect_block(0, bracket, pass, all);
      return all;
    }
    std::vector<Sums> far(static_cast<size_t>(blocks));
    const auto fill = [&](Collection& into, int64_t begin, int64_t end) {
      into.candidates = std::move(scratch<C, Scratch::kCandidates>());
      for (int64_t block = begin; block < end; ++block) {
        far[static_cast<size_t>(block)] = collect_block(block, bracket, pass, into);
      }
    };
    const auto merge = [](Collection& into, const Collection& from) {
      into.below += from.below;
      into.at_low += from.at_low;
      into.at_high += from.at_high;
      into.ignored += from.ignored;
      into.candidates.append(from.candidates.data(), from.candidates.size());
    };
    Collection all = reduce_parts<Collection>(blocks, fill, merge, executor_);
    for (const Sums& sums : far) all.far += sums;
    return all;
  }

  // The sums of what is far; the rest into `into`.
  Sums collect_block(int64_t block, const Bracket<C>& bracket, Pass pass, Collection& into) const {
    Sums sums;
    const int64_t begin = block * kBlockLength;
    group_.for_each_piece(
        begin, std::min(begin + kBlockLength, group_.length), [&](const Piece<T>& piece, int64_t) {
          into.candidates.reserve_more(piece.length + kSlack);
          Collected<C> found;
          found.candidates = into.candidates.data();
          found.count = into.candidates.size();
          pass(piece.y_true, piece.y_pred, piece.length, parameters_, bracket, found);
          into.candidates.set_size(found.count);
          into.below += found.below;
          into.at_low += found.at_low;
          into.at_high += found.at_high;
          into.ignored += piece.ignored;
          sums.weighted = found.below_sum +
                          parameters_.template as<double>().weight_in_tail() * found.above_sum;
          sums.squares = found.square_sum;
        });
    return sums;
  }

  // The order statistics, if the bracket holds them; nothing if not.
  std::optional<OrderStatistics<C>> resolve(const Rank& rank, const Bracket<C>& bracket,
                                            const Collection& found) const {
    const int64_t count = found.candidates.size();
    C* const between = scratch_of<C, Scratch::kBetween>(count);
    Split<C> counts =
        loops_.split(found.candidates.data(), count, bracket.low, bracket.high, between);
    if (counts.has_nan) return nan_statistics<C>();
    counts.below += found.below;
    counts.at_low += found.at_low;
    counts.at_high += found.at_high;

    const std::optional<Ranked<C>> lower = element(rank.lower, bracket, counts, between);
    if (!lower) return std::nullopt;
    const bool next_is_tied = rank.lower + 1 < lower->smaller + lower->ties;
    if (rank.weight == 0.0 || next_is_tied) {
      return OrderStatistics<C>{lower->value, lower->value, lower->ties, lower->ties};
    }
    const std::optional<Ranked<C>> upper = element(rank.lower + 1, bracket, counts, between);
    if (!upper) return std::nullopt;
    return OrderStatistics<C>{lower->value, upper->value, lower->ties, upper->ties};
  }

  // The element of this rank, if the bracket holds it.
  std::optional<Ranked<C>> element(int64_t rank, const Bracket<C>& bracket, const Split<C>& counts,
                                   const C* between) const {
    const int64_t first_between = counts.below + counts.at_low;
    const int64_t first_high = first_between + counts.between;
    if (rank < counts.below || rank >= first_high + counts.at_high) return std::nullopt;
    if (rank < first_between) return Ranked<C>{bracket.low, counts.below, counts.at_low};
    if (rank >= first_high) return Ranked<C>{bracket.high, first_high, counts.at_high};
    Ranked<C> ranked = kth_smallest(loops_, between, counts.between, rank - first_between);
    ranked.smaller += first_between;
    return ranked;
  }

  // --- The sums, from what was far and what was kept.

  // Nothing if the threshold is so far from where it was expected that what was taken for far from
  // it is not.
  std::optional<Sums> sums_of(const Bracket<C>& bracket, const Collection& found, bool from_below,
                              const Result& result) const {
    const Tail<C> tail =
        tail_of(result.threshold, result.statistics.lower, result.statistics.upper, parameters_);
    const bool as_expected =
        tail.band_low >= bracket.band_low && (from_below || tail.band_high <= bracket.band_high);
    if (!as_expected) return std::nullopt;
    const C* const kept = found.candidates.data();
    Sums total = found.far;
    total += block_sum<Sums>(
        found.candidates.size(),
        [&](int64_t begin, int64_t end) {
          Sums sums;
          loops_.sum_errors(kept + begin, end - begin, parameters_, tail, sums);
          return sums;
        },
        executor_);
    add_equal(total, bracket.low, found.at_low, tail);
    add_equal(total, bracket.high, found.at_high, tail);
    return total;
  }

  void add_equal(Sums& total, C error, int64_t count, const Tail<C>& tail) const {
    if (count == 0) return;
    Sums one;
    loops_.sum_errors(&error, 1, parameters_, tail, one);
    total.weighted += static_cast<double>(count) * one.weighted;
    total.threshold_gradient += static_cast<double>(count) * one.threshold_gradient;
  }

  const Group<T>& group_;
  const SelectionPlan& plan_;
  const Loops<T>& loops_;
  const LossParameters<C>& parameters_;
  Executor& executor_;
};

}  // namespace tailops
