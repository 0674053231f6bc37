#pragma once

// The k-th smallest of values in a buffer, without a branch that depends on a single value.

#include <limits>

#include "core/ordered_bits.h"
#include "cpu/simd/lanes.h"

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
    for (; i + kStep <= n; i += kStep) {
      Base::fetch_ahead(values + i, i / kStep);
      body(load(values + i), all);
    }
    if (i < n) {
      const int rest = static_cast<int>(n - i);
      body(load_first(values + i, rest), first_lanes<C>(rest));
    }
  }

  struct Range {
    C low;
    C high;
  };

  static Range range_of(const C* values, int64_t n) {
    V least = broadcast(std::numeric_limits<C>::infinity()), most = -least;
    for_each(values, n, [&](V v, M valid) TAILOPS_INLINE {
      least = choose(valid & (v < least), v, least);
      most = choose(valid & (v > most), v, most);
    });
    Range range{least[0], most[0]};
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

  // Midway between two bit patterns, rounded down, and below the higher: −0 is not below 0.
  static C middle(C low, C high) {
    using Bits = OrderedBits<C>;
    const auto a = Bits::encode(low), b = Bits::encode(high);
    const C between = Bits::decode(a + (b - a) / 2);
    return between < high ? between : low;
  }

  // Quickselect until a few vectors are left: what is up to a pivot to one part of `spare`, of
  // spare_length(n), the rest to the other. The pivot is an element of about the right rank in a
  // vector of them; where that left too many, midway between the bit patterns of the least and the
  // largest, which takes no more steps than they have bits.
  static Ranked<C> kth_smallest(const C* values, int64_t n, int64_t k, C* spare) {
    C* const lower = spare;
    C* const upper = spare + n + kSlack;
    int64_t smaller = 0;
    bool by_sample = true;
    while (n > kFewVectors * kStep) {
      C pivot;
      if (by_sample) {
        pivot = element_of_sample(values, n, k - smaller);
      } else {
        const Range range = range_of(values, n);
        if (range.low == range.high) return {range.low, smaller, n};
        pivot = middle(range.low, range.high);
      }
      C *lower_end = lower, *upper_end = upper;
      for_each(values, n, [&](V v, M valid) TAILOPS_INLINE {
        lower_end += compact(lower_end, v, bits_of(valid & (v <= pivot)));
        upper_end += compact(upper_end, v, bits_of(valid & (v > pivot)));
      });
      const int64_t below = lower_end - lower, above = upper_end - upper;
      if (below + above < n) return not_a_number();
      const bool in_upper = k - smaller >= below;
      const int64_t kept = in_upper ? above : below;
      by_sample = 4 * kept <= 3 * n;
      if (in_upper) smaller += below;
      values = in_upper ? upper : lower;
      n = kept;
    }
    Ranked<C> found = of_few(values, static_cast<int>(n), static_cast<int>(k - smaller));
    found.smaller += smaller;
    return found;
  }

 private:
  static constexpr int kFewVectors = 6;

  static Ranked<C> not_a_number() { return {std::numeric_limits<C>::quiet_NaN(), 0, 1}; }

  static C element_of_sample(const C* values, int64_t n, int64_t k) {
    C sample[kStep];
    for (int lane = 0; lane < kStep; ++lane)
      sample[lane] = values[(2 * lane + 1) * n / (2 * kStep)];
    return by_pairs<1>(sample, kStep, static_cast<int>(k * kStep / n)).value;
  }

  static Ranked<C> of_few(const C* values, int n, int k) {
    switch ((n - 1) / kStep) {
      case 0:
        return by_pairs<1>(values, n, k);
      case 1:
        return by_pairs<2>(values, n, k);
      case 2:
        return by_pairs<3>(values, n, k);
      case 3:
        return by_pairs<4>(values, n, k);
      case 4:
        return by_pairs<5>(values, n, k);
      default:
        return by_pairs<kFewVectors>(values, n, k);
    }
  }

  // Every value against every other: the k-th smallest is the largest that has no more than k
  // smaller ones. Without a branch on a value. The lanes that are left over hold NaN, which is
  // neither smaller nor larger than any.
  template <int kVectors>
  static Ranked<C> by_pairs(const C* values, int n, int k) {
    constexpr int kLast = kVectors - 1;
    V v[kVectors];
    for (int i = 0; i < kLast; ++i) v[i] = load(values + i * kStep);
    const int rest = n - kLast * kStep;
    const M valid = first_lanes<C>(rest);
    const V last = Base::load_count(values + kLast * kStep, rest);
    v[kLast] = choose(valid, last, broadcast(not_a_number().value));
    M nan = valid & (last != last);
    for (int i = 0; i < kLast; ++i) nan |= v[i] != v[i];
    if (bits_of(nan) != 0) return not_a_number();

    M smaller[kVectors] = {};
    for (int j = 0; j < n; ++j) {
      const V value = broadcast(values[j]);
      for (int i = 0; i < kVectors; ++i) smaller[i] -= value < v[i];
    }
    V most = broadcast(-std::numeric_limits<C>::infinity());
    for (int i = 0; i < kVectors; ++i) {
      most = choose((smaller[i] <= k) & (v[i] > most), v[i], most);
    }
    Ranked<C> found{most[0], 0, 0};
    for (int lane = 1; lane < kStep; ++lane) {
      found.value = most[lane] > found.value ? most[lane] : found.value;
    }
    for (const V& vector : v) {
      found.smaller += __builtin_popcount(bits_of(vector < found.value));
      found.ties += __builtin_popcount(bits_of(vector == found.value));
    }
    return found;
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
