#pragma once

// Selection that needs no luck: O(n) whatever the data, and no memory of the size of the group.
//
// One pass counts how often each value of the leading 11 bits occurs, which tells the leading bits
// of the answer; the next counts the following bits among the elements that share them; and so on:
// three passes for float32, six for float64.

#include <algorithm>
#include <limits>
#include <vector>

#include "core/ordered_bits.h"
#include "cpu/pass/block_sum.h"
#include "cpu/select/group_errors.h"
#include "cpu/select/order_statistics.h"
#include "formulas/digits.h"
#include "formulas/rank.h"

namespace tailops {
namespace radix {

// visit(key) for every element of some blocks that is not ignored.
template <typename T, typename Visit>
void for_each_key(const GroupErrors<T>& of, int64_t first_block, int64_t end_block,
                  const Visit& visit) {
  using C = ComputeType<T>;
  std::vector<C> errors(static_cast<size_t>(std::min(kBlockLength, of.length())));
  for (int64_t block = first_block; block < end_block; ++block) {
    const int64_t begin = block * kBlockLength;
    const int64_t n = std::min(kBlockLength, of.length() - begin);
    const int64_t valid = of.write(begin, begin + n, errors.data());
    for (int64_t i = 0; i < valid; ++i) {
      visit(OrderedBits<C>::encode(errors[static_cast<size_t>(i)]));
    }
  }
}

struct Histogram {
  std::vector<int64_t> count = std::vector<int64_t>(kDigitValues, 0);
  int64_t nans = 0;
};

template <typename Key>
struct CountedKey {
  Key key = std::numeric_limits<Key>::max();
  int64_t count = 0;

  void add(Key other, int64_t times) {
    if (other < key) {
      key = other;
      count = 0;
    }
    if (other == key) count += times;
  }
};

}  // namespace radix

template <typename T>
OrderStatistics<ComputeType<T>> radix_select(const GroupErrors<T>& of, const Rank& rank,
                                             Executor& executor) {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using radix::CountedKey;
  using radix::Histogram;
  const int64_t blocks = of.blocks();

  Key prefix = 0;
  Key mask = 0;
  int64_t remaining = rank.lower;  // rank among the keys that share the prefix
  int64_t ties = 0;
  for (int round = 0; round < digit_rounds(Bits::kBits); ++round) {
    const Digit digit = digit_of_round(Bits::kBits, round);
    const auto fill = [&](Histogram& h, int64_t begin, int64_t end) {
      radix::for_each_key(of, begin, end, [&](Key key) {
        if ((key & mask) == prefix) ++h.count[static_cast<size_t>(digit.of(key))];
        h.nans += key == Bits::kNaN;
      });
    };
    const auto merge = [](Histogram& into, const Histogram& from) {
      for (int d = 0; d < kDigitValues; ++d) into.count[d] += from.count[d];
      into.nans += from.nans;
    };
    const Histogram h = reduce_parts<Histogram>(blocks, fill, merge, executor);
    if (h.nans > 0) return nan_statistics<C>();
    size_t value = 0;
    while (remaining >= h.count[value]) remaining -= h.count[value++];
    ties = h.count[value];
    prefix |= static_cast<Key>(value) << digit.shift;
    mask |= static_cast<Key>(digit.count() - 1) << digit.shift;
  }

  const int64_t smaller = rank.lower - remaining;
  const auto next_larger = [&] {
    const auto fill = [&](CountedKey<Key>& next, int64_t begin, int64_t end) {
      radix::for_each_key(of, begin, end, [&](Key key) {
        if (key > prefix) next.add(key, 1);
      });
    };
    const auto merge = [](CountedKey<Key>& into, const CountedKey<Key>& from) {
      into.add(from.key, from.count);
    };
    return reduce_parts<CountedKey<Key>>(blocks, fill, merge, executor);
  };
  return statistics_of<C>(rank, [&](int64_t one) -> Ranked<C> {
    if (one == rank.lower) return {Bits::decode(prefix), smaller, ties};
    const CountedKey<Key> next = next_larger();
    return {Bits::decode(next.key), smaller + ties, next.count};
  });
}

}  // namespace tailops
