#pragma once

// Range means: which values count, the sum of those in a range, and the weight of each.

#include <limits>

#include "core/streaming.h"
#include "cpu/simd/ignore.h"
#include "cpu/simd/short_columns.h"
#include "formulas/range_mean.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename T>
struct RangeLoops : IgnoreLoops<T> {
  using Base = IgnoreLoops<T>;
  using Base::kStep;
  using Base::kTile;
  using typename Base::C;
  using typename Base::M;
  using typename Base::V;

  static int64_t count_true(const bool* mask, int64_t n) {
    using Bytes = typename VectorOf<uint8_t, kVectorBytes>::type;
    constexpr int kMost = 255;  // vectors until a byte may overflow
    int64_t found = 0, i = 0;
    while (i + kVectorBytes <= n) {
      Bytes counts{};
      for (int k = 0; k < kMost && i + kVectorBytes <= n; ++k, i += kVectorBytes) {
        Bytes bytes;
        memcpy(&bytes, mask + i, sizeof(bytes));
        counts -= reinterpret<Bytes>(bytes != 0);
      }
      for (int lane = 0; lane < kVectorBytes; ++lane) found += counts[lane];
    }
    for (; i < n; ++i) found += mask[i] ? 1 : 0;
    return found;
  }

  // body(values, offset, valid, count) for whole vectors, then for the rest.
  template <typename U, typename Body>
  static TAILOPS_INLINE void for_each(const U* values, int64_t n, const Body& body) {
    int64_t i = 0;
    for (; i + kStep <= n; i += kStep) {
      Lanes<U>::fetch_ahead(values + i, i / kStep);
      body(load(values + i), i, M{} - 1, kStep);
    }
    if (i == n) return;
    const int rest = static_cast<int>(n - i);
    body(load_first(values + i, rest), i, first_lanes<C>(rest), rest);
  }

  static int64_t take_valid(const T* values, const bool* mask, int64_t n, C* kept) {
    C* to = kept;
    for_each(values, n, [&](V v, int64_t i, M valid, int count) TAILOPS_INLINE {
      const M ignored = mask == nullptr ? v != v : Base::dropped(mask + i, count);
      to += compact(to, v, bits_of(valid & ~ignored));
    });
    return to - kept;
  }

  // Adds up what is between the brackets, or beyond the only one, and counts the rest.
  template <bool kLower, bool kUpper>
  struct Splitter {
    const V lower_low, lower_high, upper_low, upper_high;
    M below_count{}, above_count{};
    V tile{};
    TileSums<C> sum;

    explicit Splitter(const RangeBrackets<C>& of)
        : lower_low(broadcast(of.lower.low)),
          lower_high(broadcast(of.lower.high)),
          upper_low(broadcast(of.upper.low)),
          upper_high(broadcast(of.upper.high)) {}

    // The bits of what is in a bracket, or NaN.
    TAILOPS_INLINE uint64_t step(V v) {
      using Where = Lanewise<C>;
      const Where below = less(v, lower_low), above = less(upper_high, v);
      if (kLower) below_count = count_where(below, below_count);
      if (kUpper) above_count = count_where(above, above_count);
      const Where over = less(lower_high, v), under = less(v, upper_low);
      const Where between = !kUpper ? over : !kLower ? under : Where(over & under);
      tile = add_where(between, tile, v);
      const Where outside = !kUpper ? below : !kLower ? above : Where(below | above);
      return Base::kAllLanes & ~bits_of(Where(outside | between));
    }

    void flush() {
      sum.add(tile);
      tile = V{};
    }
  };

  static constexpr int kWord = 64;
  static constexpr int kTileLength = kStep * kTile > kWord ? kStep * kTile : kWord;

  // Copies those of a word of elements whose bit is set, without a branch on each where they are
  // few. May write kFew more.
  static TAILOPS_INLINE C* take_few(const C* values, uint64_t bits, C* to) {
    constexpr int kFew = 4;
    const int count = __builtin_popcountll(bits);
    if (__builtin_expect(count > 2 * kFew, 0)) return take_many(values, bits, to);
    const auto take = [&](int first) TAILOPS_INLINE {
      for (int k = first; k < first + kFew; ++k) {
        to[k] = values[static_cast<uint32_t>(__builtin_ctzll(bits | uint64_t{1} << (kWord - 1)))];
        bits &= bits - 1;
      }
    };
    take(0);
    if (__builtin_expect(bits != 0, 0)) take(kFew);
    return to + count;
  }
  [[gnu::noinline]] static C* take_many(const C* values, uint64_t bits, C* to) {
    for (int k = 0; k < kWord; k += kStep) {
      to += compact(to, load(values + k), static_cast<uint32_t>(bits >> k) & Base::kAllLanes);
    }
    return to;
  }

  template <bool kLower, bool kUpper>
  static RangeSplit split(const C* values, int64_t n, const RangeBrackets<C>& brackets, C* kept) {
    Splitter<kLower, kUpper> splitter(brackets);
    C* to = kept;
    int64_t i = 0;
    while (i + kTileLength <= n) {
      for (int w = 0; w < kTileLength; w += kWord, i += kWord) {
        uint64_t inside = 0;
        for (int k = 0; k < kWord; k += kStep) {
          Lanes<C>::fetch_ahead(values + i + k, k / kStep);
          inside |= splitter.step(load(values + i + k)) << k;
        }
        to = take_few(values + i, inside, to);
      }
      splitter.flush();
    }
    for (; i < n; i += kStep) {
      const int count = static_cast<int>(n - i < kStep ? n - i : kStep);
      const V v = Lanes<C>::load_count(values + i, count);
      // As if what is not there were in a bracket.
      const M valid = first_lanes<C>(count);
      const V there = choose(valid, v, kLower ? splitter.lower_low : splitter.upper_high);
      to += compact(to, v, static_cast<uint32_t>(splitter.step(there)) & bits_of(valid));
    }
    splitter.flush();
    RangeSplit found{0, 0, to - kept, splitter.sum.total()};
    for (int lane = 0; lane < kStep; ++lane) {
      found.below += splitter.below_count[lane];
      found.above += splitter.above_count[lane];
    }
    return found;
  }

  static RangeSplit split_range(const C* values, int64_t n, const RangeBrackets<C>& brackets,
                                C* kept) {
    if (!brackets.has_upper) return split<true, false>(values, n, brackets, kept);
    if (!brackets.has_lower) return split<false, true>(values, n, brackets, kept);
    return split<true, true>(values, n, brackets, kept);
  }

  static double sum_between(const C* values, int64_t n, C lower, C upper) {
    TileSums<C> sum;
    for_each(values, n, [&](V v, int64_t, M valid, int) TAILOPS_INLINE {
      sum.add(Base::zero_unless(valid & ~((v <= lower) | (v >= upper)), v));
    });
    return sum.total();
  }

  // Of one column per lane.
  static void range_columns(const T* values, int64_t stride, int64_t width,
                            const SelectionNetwork& network, const ShortRange<C>& wanted,
                            ColumnRange<C>* found) {
    V lines[SelectionNetwork::kMostLines];
    for (int64_t c = 0; c < width; c += kStep) {
      const int lanes = static_cast<int>(width - c < kStep ? width - c : kStep);
      const M nan = NetworkLoops<C>::read(values + c, stride, lanes, network, lines);
      NetworkLoops<C>::order(network, lines);
      const V open = broadcast(std::numeric_limits<C>::quiet_NaN());
      const auto line_of = [&](size_t rank) { return lines[network.wanted()[rank]]; };
      const size_t last = network.wanted().size() - 1;
      const V lower = wanted.open_below ? open : smaller_of(broadcast(wanted.at_most), line_of(0));
      const V upper = wanted.open_above ? open : line_of(last);
      store_columns(lines, network.lines(), lower, upper, nan, lanes, found + c);
    }
  }

  static void gradient(const T* values, const bool* mask, int64_t n, const RangeWeights<C>& of,
                       bool streamed, T* out) {
    const RangeWeights<C> weights = of;
    write(values, mask, n, [&](int64_t, int) TAILOPS_INLINE { return weights; }, streamed, out);
  }

  static void column_gradient(const T* values, const bool* mask, int64_t n,
                              const RangeWeights<const C*>& of, bool streamed, T* out) {
    const auto weights_at = [&](int64_t i, int count) TAILOPS_INLINE {
      return RangeWeights<V>{Lanes<C>::load_count(of.lower + i, count),
                             Lanes<C>::load_count(of.upper + i, count),
                             Lanes<C>::load_count(of.at_lower + i, count),
                             Lanes<C>::load_count(of.at_upper + i, count),
                             Lanes<C>::load_count(of.between + i, count)};
    };
    write(values, mask, n, weights_at, streamed, out);
  }

 private:
  static void store_columns(const V* lines, int n, V lower, V upper, M nan, int lanes,
                            ColumnRange<C>* found) {
    M below_lower{}, at_lower{}, below_upper{}, at_upper{};
    Wide<C> total = wide_broadcast<C>(0.0);
    for (int k = 0; k < n; ++k) {
      const V v = lines[k];
      below_lower -= v < lower;
      at_lower -= v == lower;
      below_upper -= v < upper;
      at_upper -= v == upper;
      total = total + to_wide<C>(Base::zero_unless(~((v <= lower) | (v >= upper)), v));
    }
    double sums[kStep];
    memcpy(sums, &total, sizeof(sums));
    for (int lane = 0; lane < lanes; ++lane) {
      found[lane] = {{lower[lane], below_lower[lane], at_lower[lane]},
                     {upper[lane], below_upper[lane], at_upper[lane]},
                     sums[lane],
                     nan[lane] != 0};
    }
  }

  template <typename WeightsAt>
  static TAILOPS_INLINE void write(const T* values, const bool* mask, int64_t n,
                                   const WeightsAt& weights_at, bool streamed, T* out) {
    constexpr int64_t kWritten = 1024;
    alignas(kVectorBytes) T written[kWritten];
    for (int64_t begin = 0; begin < n; begin += kWritten) {
      const int64_t length = n - begin < kWritten ? n - begin : kWritten;
      T* const to = streamed ? written : out + begin;
      for_each(values + begin, length, [&](V v, int64_t i, M, int count) TAILOPS_INLINE {
        V weight = range_weight(v, weights_at(begin + i, count));
        if (mask != nullptr) {
          weight = choose(Base::dropped(mask + begin + i, count), V{}, weight);
        }
        Base::store_count(to + i, weight, count);
      });
      if (streamed) stream(out + begin, written, static_cast<size_t>(length) * sizeof(T));
    }
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
