#pragma once

// The threshold of a group, exactly, and where that costs nothing more its sums as well.
//
// A small sample brackets the rank. One pass over the group then counts what lies below the
// bracket, keeps what lies inside it, and, since the indicator is 0 or 1 away from the threshold,
// already adds up everything that is far from it: where few elements are near, this pass is all
// that the forward needs. A bracket that turns out not to hold the rank is drawn once more, wider;
// after that, radix_select.h.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "band.h"
#include "block_sum.h"
#include "executor.h"
#include "group.h"
#include "growing_buffer.h"
#include "options.h"
#include "order_statistics.h"
#include "radix_select.h"
#include "rank.h"
#include "simd/loops.h"

namespace tailops {

// How far from the sample's own rank the bracket reaches: the rank is outside once in 2,000 calls.
constexpr double kDeviations = 3.5;

// Up to here a group is copied into a buffer and partitioned there.
constexpr int64_t kBufferLength = 256;

template <typename T>
class Selector {
 public:
  using C = ComputeType<T>;

  struct Result {
    OrderStatistics<C> statistics;
    C threshold;
    std::optional<Sums> sums;  // if they were wanted and came for free
  };

  Selector(const Group<T>& group, const Options& options, const Loops<T>& loops,
           const Weights<C>& weights, Executor& executor)
      : group_(group),
        rank_(rank_of(options, group.length)),
        path_(options.selection),
        loops_(loops),
        weights_(weights),
        executor_(executor) {}

  Result select(bool with_sums) const {
    if (path_ == SelectionPath::kRadix) return of(radix());
    if (group_.length <= kBufferLength && path_ == SelectionPath::kAuto) return of(buffered());
    return sampled(with_sums);
  }

 private:
  struct Sample {
    std::vector<C> errors;
    bool has_nan;
  };

  // What one pass over the group has found, of all its blocks.
  struct Collection {
    int64_t below = 0;
    int64_t at_low = 0;
    int64_t at_high = 0;
    GrowingBuffer<C> candidates;
    Sums far;
  };

  struct Element {
    C value;
    int64_t ties;
    int64_t smaller;  // how many elements of the group are
  };

  Result of(const OrderStatistics<C>& statistics) const {
    return {statistics, interpolate(statistics.lower, statistics.upper, rank_), std::nullopt};
  }

  OrderStatistics<C> radix() const {
    return radix_select(group_, rank_, loops_, weights_, executor_);
  }

  OrderStatistics<C> buffered() const {
    C buffer[kBufferLength];
    group_.for_each_piece(0, group_.length, [&](const Piece<T>& piece, int64_t) {
      loops_.errors(piece.y_true, piece.y_pred, piece.length, weights_, buffer);
    });
    C* const end = buffer + group_.length;
    if (std::any_of(buffer, end, [](C e) { return e != e; })) return nan_statistics<C>();
    C* const at = buffer + rank_.lower;
    std::nth_element(buffer, at, end);
    const C lower = *at;
    const C upper = rank_.weight == 0.0 ? lower : *std::min_element(at + 1, end);
    return {lower, upper, std::count(buffer, end, lower), std::count(buffer, end, upper)};
  }

  Result sampled(bool with_sums) const {
    Sample sample = draw();
    if (sample.has_nan) return of(nan_statistics<C>());
    for (const double deviations : {kDeviations, 4.0 * kDeviations}) {
      const bool must_miss = path_ == SelectionPath::kMiss && deviations == kDeviations;
      Bracket<C> bracket = must_miss ? beyond(sample) : bracket_of(sample, deviations);
      const bool one_pass = with_sums && few_are_near(sample, bracket);
      if (!one_pass) bracket = {bracket.low, bracket.low, bracket.high, bracket.high};
      Collection found = collect(bracket);

      const std::optional<OrderStatistics<C>> statistics = resolve(bracket, found);
      std::optional<Result> result;
      if (statistics) {
        result = of(*statistics);
        if (one_pass) result->sums = sums_of(bracket, found, result->threshold);
      }
      scratch<C, Scratch::kCandidates>() = std::move(found.candidates);
      if (result) return *result;
    }
    return of(radix());
  }

  // --- The sample: a random element of each of m equal strata, the same at every call.

  int64_t sample_length() const {
    const double balanced = std::pow(static_cast<double>(group_.length), 2.0 / 3.0) / 4.0;
    return std::clamp<int64_t>(static_cast<int64_t>(balanced), 64, 8192);
  }

  static double uniform(uint64_t i) {
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

  Sample draw() const {
    const int64_t m = sample_length();
    std::vector<T> y_true(static_cast<size_t>(m)), y_pred(static_cast<size_t>(m));
    const double stratum = static_cast<double>(group_.length) / static_cast<double>(m);
    for (int64_t i = 0; i < m; ++i) {
      const double position =
          (static_cast<double>(i) + uniform(static_cast<uint64_t>(i))) * stratum;
      const int64_t k = std::min(static_cast<int64_t>(position), group_.length - 1);
      y_true[static_cast<size_t>(i)] = group_.y_true[k * group_.stride];
      y_pred[static_cast<size_t>(i)] = group_.y_pred[k * group_.stride];
    }
    Sample sample{std::vector<C>(static_cast<size_t>(m)), false};
    loops_.errors(y_true.data(), y_pred.data(), m, weights_, sample.errors.data());
    for (const C e : sample.errors) sample.has_nan |= e != e;
    return sample;
  }

  // The sample's order statistics that many standard deviations to both sides of the rank's own.
  Bracket<C> bracket_of(Sample& sample, double deviations) const {
    const double m = static_cast<double>(sample.errors.size());
    const double n = static_cast<double>(group_.length);
    const auto place = [&](int64_t rank, double side) {
      const double q = (static_cast<double>(rank) + 0.5) / n;
      return q * m + side * (deviations * std::sqrt(m * q * (1.0 - q)) + 2.0);
    };
    const int64_t last = rank_.lower + (rank_.weight == 0.0 ? 0 : 1);
    const double low = std::floor(place(rank_.lower, -1.0)), high = std::ceil(place(last, 1.0));
    const C infinity = std::numeric_limits<C>::infinity();
    return with_band(low < 0.0 ? -infinity : order_statistic(sample, low),
                     high >= m ? infinity : order_statistic(sample, high), rank_.scale, weights_);
  }

  static C order_statistic(Sample& sample, double rank) {
    const auto at = sample.errors.begin() + static_cast<int64_t>(rank);
    std::nth_element(sample.errors.begin(), at, sample.errors.end());
    return *at;
  }

  // A bracket that no element of the sample is in, for tests.
  static Bracket<C> beyond(const Sample& sample) {
    const C largest = *std::max_element(sample.errors.begin(), sample.errors.end());
    const C above = C(2) * largest + C(1);
    return {above, above, above, above};
  }

  // Whether what lies in the band, to be kept and weighted one by one, is a small part.
  bool few_are_near(const Sample& sample, const Bracket<C>& bracket) const {
    const auto near = std::count_if(sample.errors.begin(), sample.errors.end(), [&](C e) {
      return e >= bracket.band_low && e <= bracket.band_high && e != bracket.low &&
             e != bracket.high;
    });
    return near * 8 <= static_cast<int64_t>(sample.errors.size());
  }

  // --- The pass.

  Collection collect(const Bracket<C>& bracket) const {
    const int64_t blocks = (group_.length + kBlockLength - 1) / kBlockLength;
    std::vector<Sums> far(static_cast<size_t>(blocks));
    const auto fill = [&](Collection& into, int64_t begin, int64_t end) {
      into.candidates = std::move(scratch<C, Scratch::kCandidates>());
      group_.for_each_piece(
          begin * kBlockLength, std::min(end * kBlockLength, group_.length),
          [&](const Piece<T>& piece, int64_t first) {
            into.candidates.reserve_more(piece.length + kSlack);
            Collected<C> found;
            found.candidates = into.candidates.data();
            found.count = into.candidates.size();
            loops_.collect(piece.y_true, piece.y_pred, piece.length, weights_, bracket, found);
            into.candidates.set_size(found.count);
            into.below += found.below;
            into.at_low += found.at_low;
            into.at_high += found.at_high;
            Sums& sums = far[static_cast<size_t>(first / kBlockLength)];
            sums.weighted =
                found.below_sum + (1.0 + static_cast<double>(weights_.scale)) * found.above_sum;
            sums.squares = found.square_sum;
          });
    };
    const auto merge = [](Collection& into, Collection& from) {
      into.below += from.below;
      into.at_low += from.at_low;
      into.at_high += from.at_high;
      into.candidates.reserve_more(from.candidates.size());
      std::copy(from.candidates.begin(), from.candidates.end(),
                into.candidates.data() + into.candidates.size());
      into.candidates.set_size(into.candidates.size() + from.candidates.size());
    };
    Collection all = reduce_parts(blocks, Collection(), fill, merge, executor_);
    for (const Sums& sums : far) all.far += sums;
    return all;
  }

  // The order statistics, if the bracket holds them; nothing if not.
  std::optional<OrderStatistics<C>> resolve(const Bracket<C>& bracket,
                                            const Collection& found) const {
    GrowingBuffer<C>& between = scratch<C, Scratch::kBetween>();
    between.reserve_more(found.candidates.size() + 1);
    C* const kept = between.data();
    int64_t below_low = found.below;
    int64_t count = 0;
    bool has_nan = false;
    for (const C e : found.candidates) {
      kept[count] = e;
      count += (e > bracket.low) & (e < bracket.high);
      below_low += e < bracket.low;
      has_nan |= e != e;
    }
    if (has_nan) return nan_statistics<C>();
    between.set_size(count);

    const std::optional<Element> lower = element(rank_.lower, bracket, found, below_low, between);
    if (!lower) return std::nullopt;
    const bool next_is_tied = rank_.lower + 1 < lower->smaller + lower->ties;
    if (rank_.weight == 0.0 || next_is_tied) {
      return OrderStatistics<C>{lower->value, lower->value, lower->ties, lower->ties};
    }
    const std::optional<Element> upper =
        element(rank_.lower + 1, bracket, found, below_low, between);
    if (!upper) return std::nullopt;
    return OrderStatistics<C>{lower->value, upper->value, lower->ties, upper->ties};
  }

  // The element of this rank, if the bracket holds it.
  static std::optional<Element> element(int64_t rank, const Bracket<C>& bracket,
                                        const Collection& found, int64_t below_low,
                                        const GrowingBuffer<C>& between) {
    const int64_t count = between.size();
    const int64_t first_between = below_low + found.at_low;
    const int64_t first_high = first_between + count;
    if (rank < below_low || rank >= first_high + found.at_high) return std::nullopt;
    if (rank < first_between) return Element{bracket.low, found.at_low, below_low};
    if (rank >= first_high) return Element{bracket.high, found.at_high, first_high};
    const C value = kth_smallest(between.data(), count, rank - first_between);
    int64_t smaller = 0, ties = 0;
    for (const C e : between) {
      smaller += e < value;
      ties += e == value;
    }
    return Element{value, ties, first_between + smaller};
  }

  // --- The sums, from what was far and what was kept.

  Sums sums_of(const Bracket<C>& bracket, const Collection& found, C threshold) const {
    Sums total = found.far;
    const C* const kept = found.candidates.data();
    total += block_sum<Sums>(
        found.candidates.size(),
        [&](int64_t begin, int64_t end) {
          Sums sums;
          loops_.sum_errors(kept + begin, end - begin, weights_, threshold, sums);
          return sums;
        },
        executor_);
    add_equal(total, bracket.low, found.at_low, threshold);
    add_equal(total, bracket.high, found.at_high, threshold);
    return total;
  }

  void add_equal(Sums& total, C error, int64_t count, C threshold) const {
    if (count == 0) return;
    Sums one;
    loops_.sum_errors(&error, 1, weights_, threshold, one);
    total.weighted += static_cast<double>(count) * one.weighted;
    total.threshold_gradient += static_cast<double>(count) * one.threshold_gradient;
  }

  const Group<T>& group_;
  const Rank rank_;
  const SelectionPath path_;
  const Loops<T>& loops_;
  const Weights<C>& weights_;
  Executor& executor_;
};

}  // namespace tailops
