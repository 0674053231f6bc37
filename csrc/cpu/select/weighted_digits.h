#pragma once

// Order statistics among elements that count several times each, in a way that needs no luck: how
// much all count together whose keys are in each of some equal ranges tells in which of these a
// rank is, and only what is there is looked at again. All ranks are descended to at once.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "core/executor.h"
#include "core/ordered_bits.h"
#include "cpu/pass/block_sum.h"
#include "cpu/select/weighted_row.h"
#include "cpu/simd/loops.h"
#include "formulas/digits.h"

namespace tailops {

// Elements are read as a WeightedRow is, or as WeightedElements are; NaN counts for nothing. A
// target's `smaller` is the rank that it has, before its element is found.
template <typename C, typename W>
class WeightedDigits {
 public:
  using Targets = std::vector<Ranked<C>*>;

  // Of what is whole by the largest of these weights.
  WeightedDigits(const WholeWeights& whole, Executor& executor)
      : whole_(whole), executor_(executor) {}

  // How much all of it counts, and whether there is a NaN.
  struct Total {
    int64_t copies = 0;
    bool has_nan = false;
  };
  template <typename Elements>
  Total total(const Elements& elements) const {
    const auto fill = [&](Total& total, int64_t first, int64_t end) {
      elements.for_each_block(first, end, [&](const C* values, const W* weights, int64_t n) {
        for (int64_t i = 0; i < n; ++i) {
          total.copies += copies_of(whole_, values[i], weights[i]);
          total.has_nan |= values[i] != values[i];
        }
      });
    };
    const auto merge = [](Total& into, const Total& from) {
      into.copies += from.copies;
      into.has_nan |= from.has_nan;
    };
    return reduce_parts<Total>(elements.blocks(), fill, merge, executor_);
  }

  // Finds the targets, which are sorted here. `below`: how much is smaller than all elements.
  template <typename Elements>
  void find(const Elements& elements, Targets targets, int64_t below = 0) const {
    // A NaN counts for nothing, and may be taken for any other.
    find(elements, std::move(targets), below, {0, static_cast<Key>(~Key(0) >> kUnusedBits)});
  }
  // Where all elements that are no NaN are of [low, high].
  template <typename Elements>
  void find_between(const Elements& elements, Targets targets, int64_t below, C low, C high) const {
    find(elements, std::move(targets), below, {Bits::encode(low), Bits::encode(high)});
  }

 private:
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using Table = std::array<int64_t, kDigitValues>;
  static constexpr int kUnusedBits = std::numeric_limits<Key>::digits - Bits::kBits;

  // Keys from first to last, in as many equal parts as a table has places, or in single keys.
  struct Keys {
    Key first;
    Key last;

    int shift() const {
      int bits = 0;
      while (bits < std::numeric_limits<Key>::digits && (last - first) >> bits != 0) ++bits;
      return bits > kDigitBits ? bits - kDigitBits : 0;
    }
    Keys part(size_t digit, int shift) const {
      const Key begin = first + (static_cast<Key>(digit) << shift);
      const Key beyond = (Key(1) << shift) - 1;
      return {begin, beyond > last - begin ? last : begin + beyond};
    }
  };

  template <typename Elements>
  void find(const Elements& elements, Targets targets, int64_t below, const Keys& keys) const {
    std::sort(targets.begin(), targets.end(),
              [](const Ranked<C>* a, const Ranked<C>* b) { return a->smaller < b->smaller; });
    find_sorted(elements, keys, below, targets);
  }

  // So few are sorted: a table would be larger than they are.
  static constexpr int64_t kFew = 256;

  template <typename Elements>
  void find_sorted(const Elements& elements, const Keys& keys, int64_t below,
                   const Targets& targets) const {
    if (elements.length() <= kFew) return find_among_few(elements, targets, below);
    descend(elements, keys, below, targets);
  }

  template <typename Elements>
  void find_among_few(const Elements& elements, const Targets& targets, int64_t below) const {
    std::pair<Key, int64_t> keys[kFew];
    size_t count = 0;
    elements.for_each_block(0, elements.blocks(),
                            [&](const C* values, const W* weights, int64_t n) {
                              for (int64_t i = 0; i < n; ++i) {
                                const int64_t times = copies_of(whole_, values[i], weights[i]);
                                keys[count] = {Bits::encode(values[i]), times};
                                count += times != 0 ? 1 : 0;
                              }
                            });
    std::sort(keys, keys + count);
    size_t at = 0, end = 0;
    int64_t ties = 0;
    for (Ranked<C>* target : targets) {
      while (end == 0 || target->smaller - below >= ties) {
        below += ties;
        at = end;
        for (ties = 0; end < count && keys[end].first == keys[at].first; ++end) {
          ties += keys[end].second;
        }
      }
      *target = {Bits::decode(keys[at].first), below, ties};
    }
  }

  template <typename Elements>
  Table counted(const Elements& elements, Key first, int shift) const {
    struct Counts {
      Table of{};
    };
    const auto fill = [&](Counts& counts, int64_t begin, int64_t end) {
      elements.for_each_block(begin, end, [&](const C* values, const W* weights, int64_t n) {
        for (int64_t i = 0; i < n; ++i) {
          counts.of[digit_of(values[i], first, shift)] += copies_of(whole_, values[i], weights[i]);
        }
      });
    };
    const auto merge = [](Counts& into, const Counts& from) {
      for (size_t d = 0; d < into.of.size(); ++d) into.of[d] += from.of[d];
    };
    return reduce_parts<Counts>(elements.blocks(), fill, merge, executor_).of;
  }

  // Of a NaN, some digit.
  static size_t digit_of(C value, Key first, int shift) {
    return static_cast<size_t>((Bits::encode(value) - first) >> shift) % kDigitValues;
  }

  // What shares a digit of a round, and the targets that are among it.
  struct Branch {
    size_t digit;
    int64_t below;
    Targets targets;
  };

  template <typename Elements>
  void descend(const Elements& elements, const Keys& keys, int64_t below,
               const Targets& targets) const {
    const int shift = keys.shift();
    const Table table = counted(elements, keys.first, shift);
    std::vector<Branch> branches;
    size_t at = 0;
    for (Ranked<C>* target : targets) {
      while (target->smaller - below >= table[at]) below += table[at++];
      if (branches.empty() || branches.back().digit != at) branches.push_back({at, below, {}});
      branches.back().targets.push_back(target);
    }
    if (shift == 0) {
      for (const Branch& branch : branches) {
        const C value = Bits::decode(keys.part(branch.digit, 0).first);
        const Ranked<C> found{value, branch.below, table[branch.digit]};
        for (Ranked<C>* target : branch.targets) *target = found;
      }
      return;
    }
    const auto keys_of = [&](const Branch& branch) { return keys.part(branch.digit, shift); };
    if (branches.size() == 1 &&
        table[at] == std::accumulate(table.begin(), table.end(), int64_t{0})) {
      // Nothing that counts has another digit.
      return descend(elements, keys_of(branches[0]), branches[0].below, targets);
    }
    const std::vector<WeightedElements<C, W>> parts = parted(elements, keys.first, shift, branches);
    for (size_t b = 0; b < branches.size(); ++b) {
      find_sorted(parts[b], keys_of(branches[b]), branches[b].below, branches[b].targets);
    }
  }

  // The elements of each branch.
  template <typename Elements>
  std::vector<WeightedElements<C, W>> parted(const Elements& elements, Key first, int shift,
                                             const std::vector<Branch>& branches) const {
    using Parts = std::vector<WeightedElements<C, W>>;
    std::array<int, kDigitValues> branch_of;
    branch_of.fill(-1);
    for (size_t b = 0; b < branches.size(); ++b) {
      branch_of[branches[b].digit] = static_cast<int>(b);
    }
    const auto fill = [&](Parts& parts, int64_t begin, int64_t end) {
      parts = Parts(branches.size());
      elements.for_each_block(begin, end, [&](const C* values, const W* weights, int64_t n) {
        for (auto& part : parts) part.reserve_more(n);
        for (int64_t i = 0; i < n; ++i) {
          const int branch = branch_of[digit_of(values[i], first, shift)];
          if (branch >= 0) parts[static_cast<size_t>(branch)].add(values[i], weights[i]);
        }
      });
    };
    const auto merge = [](Parts& into, const Parts& from) {
      for (size_t b = 0; b < into.size(); ++b) into[b].append(from[b]);
    };
    return reduce_parts<Parts>(elements.blocks(), fill, merge, executor_);
  }

  const WholeWeights whole_;
  Executor& executor_;
};

}  // namespace tailops
