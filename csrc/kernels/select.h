#pragma once

// Exact order statistics without a sort: O(n) whatever the data.
//
// A small group is copied into a buffer and partitioned there. A large one is narrowed down digit
// by digit: one pass counts how often each value of the leading 11 bits occurs, which tells the
// leading bits of the answer; the next pass counts the following bits among the elements that
// share them; and so on, three passes for float32, six for float64. The values are computed anew
// in each pass, so nothing of the size of the group is stored. Counts are integers, hence the same
// whatever the number of threads.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "executor.h"
#include "options.h"
#include "ordered_bits.h"
#include "rank.h"

namespace tailops {

// e₍r₎ and, where interpolation asks for it, e₍r+1₎ (otherwise e₍r₎ again), each with the number
// of elements equal to it.
template <typename T>
struct OrderStatistics {
  T lower;
  T upper;
  int64_t lower_count;
  int64_t upper_count;
};

namespace selection {

constexpr int64_t kBufferLength = 2048;

template <typename T>
OrderStatistics<T> nan_statistics() {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  return {nan, nan, 1, 1};
}

template <typename T, typename ValueAt>
OrderStatistics<T> buffered(const ValueAt& value_at, int64_t n, const Rank& rank) {
  T buffer[kBufferLength];
  bool has_nan = false;
  for (int64_t i = 0; i < n; ++i) {
    buffer[i] = value_at(i);
    has_nan |= buffer[i] != buffer[i];
  }
  if (has_nan) return nan_statistics<T>();

  T* const end = buffer + n;
  T* const at = buffer + rank.lower;
  std::nth_element(buffer, at, end);
  const T lower = *at;
  const bool interpolates = rank.weight != 0.0;
  const T upper = interpolates ? *std::min_element(at + 1, end) : lower;
  return {lower, upper, std::count(buffer, end, lower), std::count(buffer, end, upper)};
}

constexpr int kDigitBits = 11;
constexpr int kDigits = 1 << kDigitBits;

// Splits [0, n) into one piece per thread and merges the pieces' results in order.
template <typename Partial, typename Fill, typename Merge>
Partial reduce_pieces(int64_t n, const Partial& initial, const Fill& fill, const Merge& merge,
                      Executor& executor) {
  const int64_t pieces = std::clamp<int64_t>(n / kParallelElements, 1, executor.concurrency());
  const int64_t step = (n + pieces - 1) / pieces;
  std::vector<Partial> partials(static_cast<size_t>(pieces), initial);
  parallel_for(executor, pieces, step, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      fill(partials[static_cast<size_t>(p)], p * step, std::min(n, (p + 1) * step));
    }
  });
  for (size_t p = 1; p < partials.size(); ++p) merge(partials[0], partials[p]);
  return partials[0];
}

struct Histogram {
  std::vector<int64_t> count = std::vector<int64_t>(kDigits, 0);
  int64_t nans = 0;
};

template <typename Key, typename KeyAt>
Histogram digit_histogram(const KeyAt& key_at, int64_t n, Key prefix, Key mask, int shift,
                          Key digit_mask, Executor& executor) {
  const auto fill = [&](Histogram& h, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Key key = key_at(i);
      if ((key & mask) == prefix) ++h.count[(key >> shift) & digit_mask];
      h.nans += key == std::numeric_limits<Key>::max();
    }
  };
  const auto merge = [](Histogram& into, const Histogram& from) {
    for (int d = 0; d < kDigits; ++d) into.count[d] += from.count[d];
    into.nans += from.nans;
  };
  return reduce_pieces(n, Histogram(), fill, merge, executor);
}

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

// The smallest key above `floor`, and how often it occurs.
template <typename Key, typename KeyAt>
CountedKey<Key> next_key(const KeyAt& key_at, int64_t n, Key floor, Executor& executor) {
  const auto fill = [&](CountedKey<Key>& next, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Key key = key_at(i);
      if (key > floor) next.add(key, 1);
    }
  };
  const auto merge = [](CountedKey<Key>& into, const CountedKey<Key>& from) {
    into.add(from.key, from.count);
  };
  return reduce_pieces(n, CountedKey<Key>(), fill, merge, executor);
}

template <typename T, typename ValueAt>
OrderStatistics<T> radix(const ValueAt& value_at, int64_t n, const Rank& rank, Executor& executor) {
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;
  const auto key_at = [&](int64_t i) { return Bits::encode(value_at(i)); };

  Key prefix = 0;
  Key mask = 0;
  int64_t remaining = rank.lower;  // rank among the keys that share the prefix
  int64_t ties = 0;
  for (int unresolved = Bits::kBits; unresolved > 0;) {
    const int bits = std::min(kDigitBits, unresolved);
    unresolved -= bits;
    const Key digit_mask = (Key(1) << bits) - 1;
    const Histogram h = digit_histogram(key_at, n, prefix, mask, unresolved, digit_mask, executor);
    if (h.nans > 0) return nan_statistics<T>();
    size_t digit = 0;
    while (remaining >= h.count[digit]) remaining -= h.count[digit++];
    ties = h.count[digit];
    prefix |= static_cast<Key>(digit) << unresolved;
    mask |= digit_mask << unresolved;
  }

  const T lower = Bits::decode(prefix);
  const bool next_is_tied = remaining + 1 < ties;
  if (rank.weight == 0.0 || next_is_tied) return {lower, lower, ties, ties};
  const CountedKey<Key> next = next_key(key_at, n, prefix, executor);
  return {lower, Bits::decode(next.key), ties, next.count};
}

}  // namespace selection

// The order statistics that `rank` names of value_at(0), …, value_at(n − 1); NaN if any is NaN.
template <typename T, typename ValueAt>
OrderStatistics<T> select(const ValueAt& value_at, int64_t n, const Rank& rank, SelectionPath path,
                          Executor& executor) {
  const bool fits = n <= selection::kBufferLength;
  if (fits && path != SelectionPath::kRadix) return selection::buffered<T>(value_at, n, rank);
  return selection::radix<T>(value_at, n, rank, executor);
}

}  // namespace tailops
