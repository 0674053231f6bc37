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

  template <bool kLower, bool kUpper>
  static RangeSplit split(const C* values, int64_t n, const RangeBrackets<C>& brackets, C* kept) {
    const V lower_low = broadcast(brackets.lower.low), lower_high = broadcast(brackets.lower.high);
    const V upper_low = broadcast(brackets.upper.low), upper_high = broadcast(brackets.upper.high);
    M below_count{}, above_count{};
    V tile{};
    TileSums<C> sum;
    C* to = kept;
    const auto step = [&](V v, M valid) TAILOPS_INLINE {
      M kept_here = valid, between = valid;
      if (kLower) {
        const M below = (v < lower_low) & valid;
        below_count -= below;
        between &= v > lower_high;
        kept_here &= ~below;
      }
      if (kUpper) {
        const M above = (v > upper_high) & valid;
        above_count -= above;
        between &= v < upper_low;
        kept_here &= ~above;
      }
      tile += Base::zero_unless(between, v);
      const uint32_t bits = bits_of(kept_here & ~between);
      if (Base::kBranchesOnKept && bits == 0) return;
      to += compact(to, v, bits);
    };
    const M all = M{} - 1;
    int64_t i = 0;
    for (; i + kStep * kTile <= n;) {
      for (int k = 0; k < kTile; ++k, i += kStep) {
        Lanes<C>::fetch_ahead(values + i, k);
        step(load(values + i), all);
      }
      sum.add(tile);
      tile = V{};
    }
    for_each(values + i, n - i, [&](V v, int64_t, M valid, int) TAILOPS_INLINE { step(v, valid); });
    sum.add(tile);
    RangeSplit found{0, 0, to - kept, sum.total()};
    for (int lane = 0; lane < kStep; ++lane) {
      found.below += below_count[lane];
      found.above += above_count[lane];
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
      M nan{};
      for (int k = 0; k < network.lines(); ++k) {
        lines[k] = Base::load_count(values + k * stride + c, lanes);
        nan |= lines[k] != lines[k];
      }
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
    constexpr int64_t kTileLength = 1024;
    alignas(kVectorBytes) T written[kTileLength];
    for (int64_t begin = 0; begin < n; begin += kTileLength) {
      const int64_t length = n - begin < kTileLength ? n - begin : kTileLength;
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
