#pragma once

// Order statistics of a row with weights, as rows.h finds those of one without: by a bracket of a
// sample for each, and one pass. How much everything counts together, and so the ranks, is known
// behind that pass only; a place in the sample needs no more than the fraction of it.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/executor.h"
#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/select/bracket.h"
#include "cpu/select/row_brackets.h"
#include "cpu/select/weighted_digits.h"
#include "cpu/select/weighted_row.h"
#include "cpu/simd/loops.h"

namespace tailops {

template <typename C>
struct WeightedFound {
  std::vector<Ranked<C>> elements;  // nothing where all that is no NaN counts for nothing
  bool has_nan = false;
};

template <typename T, typename W>
class WeightedSelector {
 public:
  using Row = WeightedRow<T, W>;
  using C = typename Row::C;

  explicit WeightedSelector(const Row& row, Executor& executor)
      : row_(row), digits_(row.whole(), executor), executor_(executor) {}

  // The elements at these fractions of everything, whose ranks `ranks_of(total)` are.
  template <typename RanksOf>
  WeightedFound<C> select(const std::vector<double>& fractions, const RanksOf& ranks_of) const {
    WeightedFound<C> found;
    if constexpr (kHasLoops) {
      if (row_.length() > kShort && fractions.size() <= kMostBrackets) {
        sampled(fractions, ranks_of, found);
        return found;
      }
    }
    const auto total = digits_.total(row_);
    found.has_nan = total.has_nan;
    if (total.copies == 0) return found;
    Targets targets = begin(ranks_of(total.copies), found);
    digits_.find(row_, std::move(targets));
    return found;
  }

 private:
  using Elements = WeightedElements<C, W>;
  using Digits = WeightedDigits<C, W>;
  using Targets = typename Digits::Targets;
  using Split = WeightedSplit<C, W>;

  // 64-bit integers have none.
  static constexpr bool kHasLoops = std::is_floating_point_v<C>;
  static constexpr int64_t kShort = 2048;
  // A bracket that reaches further keeps so much that one that misses costs no more.
  static constexpr double kFurthest = 0.1;
  static constexpr size_t kMostBrackets = 16;  // each is a pass over what is in a cache

  static Targets begin(const std::vector<int64_t>& ranks, WeightedFound<C>& found) {
    for (const int64_t rank : ranks) found.elements.push_back({C(0), rank, 0});
    Targets targets;
    for (Ranked<C>& one : found.elements) targets.push_back(&one);
    return targets;
  }

  struct Bracket {
    C low;
    C high;
  };

  // What a pass finds of a bracket.
  struct Kept {
    Split counts;
    Elements between;

    int64_t total() const {
      return counts.below + counts.at_low + counts.between + counts.at_high + counts.above;
    }

    void append(const Kept& more) {
      counts.below += more.counts.below;
      counts.at_low += more.counts.at_low;
      counts.between += more.counts.between;
      counts.at_high += more.counts.at_high;
      counts.above += more.counts.above;
      counts.has_nan |= more.counts.has_nan;
      between.append(more.between);
    }

    Bracketed<C> bracketed(const Bracket& bracket) const {
      return {bracket.low,
              bracket.high,
              {counts.below, counts.at_low, counts.between, counts.at_high, counts.has_nan}};
    }
  };

  template <typename RanksOf>
  void sampled(const std::vector<double>& fractions, const RanksOf& ranks_of,
               WeightedFound<C>& found) const {
    const int64_t most = 2 * most_of_sample(row_.length());  // of a pass that keeps pairs
    const auto draw = [&](const auto& body) { row_.draw(most, body); };
    const std::vector<Bracket> brackets = brackets_of(fractions, most, draw);
    const std::vector<Kept> kept = collect(brackets);
    const int64_t total = kept[0].total();
    found.has_nan = kept[0].counts.has_nan;
    if (total == 0) return;
    const Targets targets = begin(ranks_of(total), found);
    Targets missed;
    for (size_t i = 0; i < targets.size(); ++i) {
      Ranked<C>& target = *targets[i];
      const Bracketed<C> bracketed = kept[i].bracketed(brackets[i]);
      if (const std::optional<Ranked<C>> end = bracketed.end(target.smaller)) {
        target = *end;
      } else if (bracketed.is_between(target.smaller)) {
        find_between(kept[i].between, bracketed, bracketed.first_between(), target);
      } else {
        missed.push_back(&target);
      }
    }
    if (!missed.empty()) digits_.find(row_, std::move(missed));
  }

  // Among what is between the ends of a bracket: of some thousands a second one leaves few.
  // `smaller`: how much is smaller than all of it.
  void find_between(const Elements& among, const Bracketed<C>& outer, int64_t smaller,
                    Ranked<C>& target) const {
    constexpr int64_t kSample = 512;
    if (among.length() > kShort) {
      const int64_t rank = target.smaller - smaller;
      const auto draw = [&](const auto& body) {
        for (int64_t i = 0; i < kSample; ++i) {
          const int64_t at = (2 * i + 1) * among.length() / (2 * kSample);
          body(among.values.data()[at], among.weights.data()[at]);
        }
      };
      const double place = static_cast<double>(rank) + 0.5;
      const auto copies = static_cast<double>(outer.counts.between);
      Bracket inner = brackets_of({place / copies}, kSample, draw)[0];
      inner = {std::max(inner.low, outer.low), std::min(inner.high, outer.high)};
      Kept kept;
      split(among.values.data(), among.weights.data(), among.length(), inner, kept);
      const Bracketed<C> bracketed = kept.bracketed(inner);
      if (const std::optional<Ranked<C>> end = bracketed.end(rank)) {
        target = {end->value, smaller + end->smaller, end->ties};
        return;
      }
      if (bracketed.is_between(rank)) {
        return digits_.find_between(kept.between, {&target}, smaller + bracketed.first_between(),
                                    inner.low, inner.high);
      }
    }
    digits_.find_between(among, {&target}, smaller, outer.low, outer.high);
  }

  std::vector<Kept> collect(const std::vector<Bracket>& brackets) const {
    using All = std::vector<Kept>;
    const auto fill = [&](All& into, int64_t first, int64_t end) {
      into = All(brackets.size());
      row_.for_each_block(first, end, [&](const C* values, const W* weights, int64_t n) {
        for (size_t b = 0; b < brackets.size(); ++b) {
          split(values, weights, n, brackets[b], into[b]);
        }
      });
    };
    const auto merge = [](All& into, const All& from) {
      for (size_t b = 0; b < into.size(); ++b) into[b].append(from[b]);
    };
    return reduce_parts<All>(row_.blocks(), fill, merge, executor_);
  }

  void split(const C* values, const W* weights, int64_t n, const Bracket& bracket,
             Kept& kept) const {
    Elements& between = kept.between;
    between.reserve_more(n + kSlack);
    kept.counts.values = between.values.data() + between.length();
    kept.counts.weights = between.weights.data() + between.length();
    const Loops<C>& loops = loops_of<C>(0);
    if constexpr (std::is_same_v<W, float>) {
      loops.split_weighted(values, weights, n, row_.whole().scale(), bracket.low, bracket.high,
                           kept.counts);
    } else {
      loops.split_wide_weighted(values, weights, n, row_.whole().scale(), bracket.low, bracket.high,
                                kept.counts);
    }
    between.set_size(kept.counts.values - between.values.data());
  }

  // The sample's own elements some standard deviations to both sides of each fraction.
  template <typename Draw>
  std::vector<Bracket> brackets_of(const std::vector<double>& fractions, int64_t most,
                                   const Draw& draw) const {
    constexpr C kInfinity = std::numeric_limits<C>::infinity();
    Elements sample;
    int64_t total = 0;
    double squares = 0.0;
    C smallest = kInfinity, largest = -kInfinity;
    sample.reserve_more(most);
    draw([&](C value, W weight) {
      const int64_t copies = copies_of(row_.whole(), value, weight);
      if (copies == 0) return;
      sample.add(value, weight);
      smallest = std::min(smallest, value);
      largest = std::max(largest, value);
      total += copies;
      squares += static_cast<double>(copies) * static_cast<double>(copies);
    });
    std::vector<Bracket> brackets(fractions.size(), {-kInfinity, kInfinity});
    if (total == 0) return brackets;
    const auto sum = static_cast<double>(total);
    // As many equal weights are as uncertain.
    const double count = sum * sum / squares;
    std::vector<Ranked<C>> ends;
    std::vector<C*> ends_of;
    const auto add = [&](double place, C& end) {
      if (place < 0.0 || place >= 1.0) return;  // beyond the sample: what bounds nothing
      ends.push_back({C(0), std::min(static_cast<int64_t>(place * sum), total - 1), 0});
      ends_of.push_back(&end);
    };
    for (size_t i = 0; i < fractions.size(); ++i) {
      const double q = fractions[i], deviation = std::sqrt(q * (1.0 - q) / count);
      const double reach = std::min(kReaches[0] * deviation + 2.0 / count, kFurthest);
      add(q - reach, brackets[i].low);
      add(q + reach, brackets[i].high);
    }
    Targets targets;
    for (Ranked<C>& end : ends) targets.push_back(&end);
    if (!targets.empty()) digits_.find_between(sample, std::move(targets), 0, smallest, largest);
    for (size_t i = 0; i < ends.size(); ++i) *ends_of[i] = ends[i].value;
    return brackets;
  }

  const Row& row_;
  const Digits digits_;
  Executor& executor_;
};

}  // namespace tailops
