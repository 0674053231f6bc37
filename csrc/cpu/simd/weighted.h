#pragma once

// Elements that count as often as their weights say: a pass that adds up how often, in whole
// numbers, so that the order does not matter.

#include <algorithm>
#include <limits>

#include "cpu/simd/lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

// Whole numbers, as many vectors of them as C's lanes take.
template <typename C>
struct WholeLanes {
  static constexpr int kParts = Wide<C>::kParts;
  Mask<double> part[kParts];

  TAILOPS_INLINE void add(const WholeLanes& more) {
    for (int k = 0; k < kParts; ++k) part[k] += more.part[k];
  }
  TAILOPS_INLINE void add_where(Lanewise<C> where, const WholeLanes& more) {
#if defined(__AVX512F__)
    for (int k = 0; k < kParts; ++k) {
      const __m512i to = reinterpret<__m512i>(part[k]), of = reinterpret<__m512i>(more.part[k]);
      const auto lanes = static_cast<__mmask8>(where >> k * kLanes<double>);
      part[k] = reinterpret<Mask<double>>(_mm512_mask_add_epi64(to, lanes, to, of));
    }
#else
    using Emulated = typename VectorOf<int64_t, kLanes<C> * 8>::type;
    const auto lanes = reinterpret<WholeLanes>(__builtin_convertvector(where, Emulated));
    for (int k = 0; k < kParts; ++k) part[k] += more.part[k] & lanes.part[k];
#endif
  }
  int64_t total() const {
    int64_t total = 0;
    for (const Mask<double>& vector : part) {
      for (int lane = 0; lane < kLanes<double>; ++lane) total += vector[lane];
    }
    return total;
  }
};

template <typename C>
WeightExtent weight_extent(const C* weights, int64_t n) {
  using Base = Lanes<C>;
  Vector<C> largest{};
  Mask<C> invalid{};
  const Vector<C> infinity = broadcast(std::numeric_limits<C>::infinity());
  Base::for_each_vector(n, [&](int64_t i, Mask<C>, int count) TAILOPS_INLINE {
    Base::fetch_ahead(weights + i, i / Base::kStep);
    const Vector<C> w = Base::load_count(weights + i, count);
    largest = larger_of(largest, w);
    invalid |= ~((w >= Vector<C>{}) & (w < infinity));
  });
  WeightExtent found{0.0, bits_of(invalid) == 0};
  for (int lane = 0; lane < Base::kStep; ++lane) {
    const double one = static_cast<double>(largest[lane]);
    found.largest = one > found.largest ? one : found.largest;
  }
  return found;
}

template <typename C, typename W>
class WeightedSplitter {
 public:
  static void split(const C* values, const W* weights, int64_t n, const WeightScale& scale, C low,
                    C high, WeightedSplit<C, W>& found) {
    WeightedSplitter splitter(scale, low, high, found);
    int64_t i = 0;
    for (; i + kWord <= n; i += kWord) splitter.word(values + i, weights + i);
    if (i < n) {
      // As if what is not there counted for nothing, and were below.
      const auto rest = static_cast<size_t>(n - i);
      C last[kWord];
      W counts[kWord] = {};
      std::fill_n(last, kWord, -std::numeric_limits<C>::infinity());
      memcpy(last, values + i, rest * sizeof(C));
      memcpy(counts, weights + i, rest * sizeof(W));
      splitter.word(last, counts);
    }
    splitter.finish();
    if (found.has_nan) splitter.leave_out_nan(values, weights, n);
  }

 private:
  using V = Vector<C>;
  using Whole = WholeLanes<C>;
  static constexpr int kStep = kLanes<C>;
  static constexpr int kWord = 64;

  WeightedSplitter(const WeightScale& scale, C low, C high, WeightedSplit<C, W>& found)
      : scale_(scale), low_(broadcast(low)), high_(broadcast(high)), found_(found) {}

  TAILOPS_INLINE void word(const C* values, const W* weights) {
    uint64_t between = 0;
    for (int k = 0; k < kWord; k += kStep) {
      Lanes<C>::fetch_ahead(values + k, k / kStep);
      Lanes<W>::fetch_ahead(weights + k, k / kStep);
      const V v = load(values + k);
      const Whole copies = whole_of(wide_weights(weights + k));
      const Lanewise<C> above_low = less(low_, v), below_high = less(v, high_);
      all_.add(copies);
      below_low_.add_where(less(v, low_), copies);
      above_low_.add_where(above_low, copies);
      below_high_.add_where(below_high, copies);
      above_high_.add_where(less(high_, v), copies);
      nan_ |= v != v;
      between |= static_cast<uint64_t>(bits_of(Lanewise<C>(above_low & below_high))) << k;
    }
    if (between != 0) keep(values, weights, between);
  }

  void finish() {
    const int64_t all = all_.total(), below = below_low_.total(), above = above_high_.total();
    // NaN, which is none of these, is taken for an end's: leave_out_nan() corrects that.
    const int64_t until_low = all - above_low_.total(), from_high = all - below_high_.total();
    found_.below += below;
    found_.at_low += until_low - below;
    found_.between += all - until_low - from_high;
    found_.at_high += from_high - above;
    found_.above += above;
    found_.has_nan |= bits_of(nan_) != 0;
    if (low_[0] != high_[0]) return;
    // What equals both is counted for both, and then missing between them.
    found_.between += until_low - below;
    found_.at_high -= until_low - below;
  }

  [[gnu::noinline]] void leave_out_nan(const C* values, const W* weights, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      if (values[i] == values[i]) continue;
      const int64_t copies = whole_of(static_cast<double>(weights[i]));
      found_.at_low -= copies;
      if (low_[0] == high_[0]) continue;
      found_.between += copies;
      found_.at_high -= copies;
    }
  }

  // Those of a word whose bit is set, without a branch on each where they are few.
  TAILOPS_INLINE void keep(const C* values, const W* weights, uint64_t bits) {
    constexpr int kFew = 4;
    const int count = __builtin_popcountll(bits);
    if (__builtin_expect(count > 2 * kFew, 0)) return keep_many(values, weights, bits);
    const auto take = [&](int first) TAILOPS_INLINE {
      for (int k = first; k < first + kFew; ++k) {
        const auto at = static_cast<uint32_t>(__builtin_ctzll(bits | uint64_t{1} << (kWord - 1)));
        found_.values[k] = values[at];
        found_.weights[k] = weights[at];
        bits &= bits - 1;
      }
    };
    take(0);
    if (__builtin_expect(bits != 0, 0)) take(kFew);
    found_.values += count;
    found_.weights += count;
  }

  [[gnu::noinline]] void keep_many(const C* values, const W* weights, uint64_t bits) {
    for (int k = 0; k < kWord; k += kStep) {
      const uint32_t of_vector = static_cast<uint32_t>(bits >> k) & Lanes<C>::kAllLanes;
      found_.values += compact(found_.values, load(values + k), of_vector);
      found_.weights += compact_weights(found_.weights, weights + k, of_vector);
    }
  }

  static TAILOPS_INLINE Wide<C> wide_weights(const double* from) { return wide_load<C>(from); }
  static TAILOPS_INLINE Wide<C> wide_weights(const float* from) {
    if constexpr (sizeof(C) == sizeof(float)) {
      return to_wide<C>(load(from));
    } else {
      double wide[kStep];
      for (int lane = 0; lane < kStep; ++lane) wide[lane] = static_cast<double>(from[lane]);
      return wide_load<C>(wide);
    }
  }

  TAILOPS_INLINE Whole whole_of(const Wide<C>& weights) const {
    Whole whole;
    for (int k = 0; k < Whole::kParts; ++k) {
      const DoubleVector shifted =
          weights.part[k] * scale_.first * scale_.second + WeightScale::kUnit;
      whole.part[k] = reinterpret<Mask<double>>(shifted) & WeightScale::kFraction;
    }
    return whole;
  }
  TAILOPS_INLINE int64_t whole_of(double weight) const {
    const double shifted = weight * scale_.first * scale_.second + WeightScale::kUnit;
    return reinterpret<int64_t>(shifted) & WeightScale::kFraction;
  }

  static TAILOPS_INLINE int compact_weights(double* to, const double* from, uint32_t bits) {
    constexpr int kOfOne = kLanes<double>;
    int count = 0;
    for (int k = 0; k < kStep; k += kOfOne) {
      count += compact(to + count, load(from + k), bits >> k & ((uint32_t{1} << kOfOne) - 1));
    }
    return count;
  }
  static TAILOPS_INLINE int compact_weights(float* to, const float* from, uint32_t bits) {
    if constexpr (sizeof(C) == sizeof(float)) {
      return compact(to, load(from), bits);
    } else {
      int count = 0;
      for (uint32_t rest = bits; rest != 0; rest &= rest - 1) {
        to[count++] = from[__builtin_ctz(rest)];
      }
      return count;
    }
  }

  const WeightScale scale_;
  const V low_;
  const V high_;
  Whole all_{}, below_low_{}, above_low_{}, below_high_{}, above_high_{};
  Mask<C> nan_{};
  WeightedSplit<C, W>& found_;
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
