#pragma once

// The k-th smallest of values in a buffer, without a branch that depends on a single value.

#include <limits>

#include "../ordered_bits.h"
#include "lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename C>
struct OrderLoops : Lanes<C> {
  using Base = Lanes<C>;
  using Base::kStep;
  using typename Base::M;
  using typename Base::V;

  // body(values, valid, count) for vectors of the buffer.
  template <typename Body>
  static void for_each(const C* values, int64_t n, const Body& body) {
    const M all = M{} - 1;
    int64_t i = 0;
    for (; i + kStep <= n; i += kStep) body(load(values + i), all);
    if (i < n) {
      const int rest = static_cast<int>(n - i);
      body(Base::load_some(values + i, rest), first_lanes<C>(rest));
    }
  }

  struct Range {
    C low;
    C high;
    bool has_nan;
  };

  static Range range_of(const C* values, int64_t n) {
    V least = broadcast(std::numeric_limits<C>::infinity()), most = -least;
    M nan{};
    for_each(values, n, [&](V v, M valid) TAILOPS_INLINE {
      least = choose(valid & (v < least), v, least);
      most = choose(valid & (v > most), v, most);
      nan |= valid & (v != v);
    });
    Range range{least[0], most[0], bits_of(nan) != 0};
    for (int lane = 1; lane < kStep; ++lane) {
      range.low = least[lane] < range.low ? least[lane] : range.low;
      range.high = most[lane] > range.high ? most[lane] : range.high;
    }
    return range;
  }

  static int64_t total(M counts) {
    int64_t sum = 0;
    for (int lane = 0; lane < kStep; ++lane) sum += counts[lane];
    return sum;
  }

  // How many are below low, equal to it, between it and high, equal to high (unless that is low);
  // those between, to `between`, which may be `values`.
  static Split<C> split(const C* values, int64_t n, C low, C high, C* between) {
    M below{}, at_low{}, at_high{}, nan{};
    C* to = between;
    for_each(values, n, [&](V v, M valid) TAILOPS_INLINE {
      below -= valid & (v < low);
      const M equal_low = valid & (v == low);
      at_low -= equal_low;
      at_high -= valid & (v == high) & ~equal_low;
      nan |= valid & (v != v);
      to += compact(to, v, bits_of(valid & (v > low) & (v < high)));
    });
    return {total(below), total(at_low), to - between, total(at_high), bits_of(nan) != 0};
  }

  // Midway between two bit patterns, rounded down.
  static C middle(C low, C high) {
    using Bits = OrderedBits<C>;
    const auto a = Bits::encode(low), b = Bits::encode(high);
    return Bits::decode(a + (b - a) / 2);
  }

  // Halves the range of the values, and where that keeps most of them, of their bit patterns: the
  // first is quick where they are spread evenly, the second never takes more than the bits they
  // have.
  static Ranked<C> kth_smallest(const C* values, int64_t n, int64_t k, C* spare) {
    Range range = range_of(values, n);
    if (range.has_nan) return {std::numeric_limits<C>::quiet_NaN(), 0, 1};
    int64_t smaller = 0;
    bool by_value = true;
    while (range.low < range.high) {
      const C pivot =
          by_value ? range.low + (range.high - range.low) / C(2) : middle(range.low, range.high);
      int64_t count = 0;
      for_each(values, n, [&](V v, M valid) TAILOPS_INLINE {
        count += __builtin_popcount(bits_of(valid & (v <= pivot)));
      });
      const bool upper = k - smaller >= count;
      const int64_t kept = upper ? n - count : count;
      if (kept == n) {
        range = range_of(values, n);
        by_value = false;
        continue;
      }
      by_value = 2 * kept <= n;
      C* to = spare;
      for_each(values, n, [&](V v, M valid) TAILOPS_INLINE {
        to += compact(to, v, bits_of(valid & (upper ? v > pivot : v <= pivot)));
      });
      values = spare;
      n = kept;
      if (upper) smaller += count;
      (upper ? range.low : range.high) = pivot;
      if (n <= kStep) return of_one_vector(values, static_cast<int>(n), k, smaller);
    }
    return {range.low, smaller, n};
  }

 private:
  static Ranked<C> of_one_vector(const C* values, int n, int64_t k, int64_t smaller) {
    const V v = Base::load_some(values, n);
    const M valid = first_lanes<C>(n);
    for (int lane = 0;; ++lane) {
      const C value = v[lane];
      const int64_t below = smaller + __builtin_popcount(bits_of(valid & (v < value)));
      const int64_t ties = __builtin_popcount(bits_of(valid & (v == value)));
      if (below <= k && k < below + ties) return {value, below, ties};
    }
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
