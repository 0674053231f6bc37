#pragma once

// Sums over elements whose threshold is known. Exponentials only for those near it: they are put
// aside until there are enough to fill vectors.

#include "cpu/simd/lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct SumLoops : ErrorLanes<Error, T> {
  using Base = ErrorLanes<Error, T>;
  using Base::kStep;
  using Base::kTile;
  using typename Base::C;
  using typename Base::Formulas;
  using typename Base::M;
  using typename Base::V;

  static constexpr int kTileLength = kTile * kStep;

  // The errors of a group's elements, and Σ d² of a tile on the way.
  struct Inputs {
    const T* y_true;
    const T* y_pred;
    Formulas formulas;

    TAILOPS_INLINE V error(int64_t i, int count, M valid, V& squares) const {
      Base::fetch_ahead(y_true + i, y_pred + i, i / kStep);
      const V d = Base::residuals(y_true + i, y_pred + i, count);
      if (formulas.beta != C(0)) squares += Base::zero_unless(valid, d * d);
      return formulas.error(d);
    }
  };

  // Errors that are known.
  struct Errors {
    const C* errors;

    V error(int64_t i, int count, M, V&) const { return Base::load_count(errors + i, count); }
  };

  // body(offset, count, valid) for the vectors of a tile, a whole one or one of `length` elements.
  template <bool kWhole, typename Body>
  static TAILOPS_INLINE void for_each_vector_of_tile(int64_t i, int64_t length, const Body& body) {
    if (kWhole) {
      for (int k = 0; k < kTileLength; k += kStep) body(i + k, kStep, M{} - 1);
      return;
    }
    for (int64_t k = 0; k < length; k += kStep) {
      const int count = static_cast<int>(length - k < kStep ? length - k : kStep);
      body(i + k, count, first_lanes<C>(count));
    }
  }

  // What a tile adds to the sums of which Σ ℓ is made, to Σ ∂L/∂t and Σ d².
  struct TileOf {
    V errors{}, above{}, excess{}, slopes{}, squares{};
  };

  struct Totals {
    TileSums<C> errors, above, excess, slopes, squares;
    double negligible = 0.0;  // Σ e of negligible errors that are near the threshold

    void add(const TileOf& tile) {
      errors.add(tile.errors);
      above.add(tile.above);
      excess.add(tile.excess);
      slopes.add(tile.slopes);
      squares.add(tile.squares);
    }
    Sums sums(const Formulas& formulas, C threshold, C steepness) const {
      Sums sums{formulas.weighted_sum(errors.total(), above.total(), excess.total()),
                squares.total(), slopes.total()};
      if (negligible != 0.0) {
        // As many of them as there are have the indicator of an error of zero.
        const Indicator<V> h = formulas.indicator(V{}, threshold, steepness);
        const V one = broadcast(C(1));
        sums.weighted += negligible * static_cast<double>(formulas.excess(one, h)[0]);
        sums.threshold_gradient +=
            negligible * static_cast<double>(formulas.threshold_derivative(one, h)[0]);
      }
      return sums;
    }
  };

  // `threshold` is the tail's, or zero where that is negligible.
  template <bool kExact>
  static TAILOPS_INLINE void add_near(const Formulas& formulas, V e, V threshold, M near,
                                      const Tail<C>& tail, TileOf& sums) {
    const Indicator<V> h = formulas.indicator(e, threshold, tail.steepness);
    sums.excess += Base::zero_unless(near, formulas.excess(e, h));
    if (!kExact) return;
    const M ties = Base::tied(near, e, broadcast(tail.lower), broadcast(tail.upper));
    sums.slopes += Base::zero_unless(near & ~ties, formulas.threshold_derivative(e, h));
  }

  // Writes zeros over them, and returns their sum.
  [[gnu::noinline]] static double remove_negligible(C bound, int64_t length, C* errors) {
    V sum{};
    for (int64_t k = 0; k < length; k += kStep) {
      const V e = load(errors + k), rest = Base::zero_below(bound, e);
      sum += choose(Base::is_negligible(bound, e), e, V{});
      store(errors + k, rest);
    }
    return to_wide<C>(sum).total();
  }

  // Every element by its own indicator, but where it is far from the threshold. Returns how many
  // are near. Σ e is there already where elements have been put aside.
  template <bool kExact, bool kWhole, bool kAside, typename Source>
  [[gnu::noinline]] static int64_t near_tile(const Source source, int64_t first, int64_t length,
                                             const LossParameters<C>& parameters, const Tail<C>& at,
                                             Totals& totals) {
    const Tail<C> tail = at;
    const Formulas formulas = Base::formulas_of(parameters);
    const C negligible = Base::negligible(parameters, tail.steepness);
    const V threshold = Base::zero_below(negligible, broadcast(tail.threshold));
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    C errors[kTileLength];
    TileOf sums;
    M far{}, small{};
    for_each_vector_of_tile<kWhole>(0, length, [&](int64_t k, int count, M valid) TAILOPS_INLINE {
      const V e = source.error(first + k, count, valid, sums.squares);
      far |= valid & ((e < low) | (e > high));
      small |= Base::is_negligible(negligible, e);
      if (!kAside) sums.errors += e;
      store(errors + k, e);
    });
    if (bits_of(small) != 0) {
      const double removed = remove_negligible(negligible, length, errors);
      if (tail.band_low <= C(0) && tail.band_high >= C(0)) totals.negligible += removed;
    }
    // The usual case alone: half as many instructions.
    int64_t near_count = length;
    if (bits_of(far) == 0) {
      for_each_vector_of_tile<kWhole>(0, length, [&](int64_t k, int, M valid) TAILOPS_INLINE {
        const V e = load(errors + k);
        add_near<kExact>(formulas, e, threshold, valid, tail, sums);
      });
    } else {
      near_count = 0;
      for_each_vector_of_tile<kWhole>(0, length, [&](int64_t k, int, M valid) TAILOPS_INLINE {
        const V e = load(errors + k);
        const M near = Base::inside(e, low, high) & valid;
        near_count += __builtin_popcount(bits_of(near));
        sums.above += Base::zero_unless(e > high, e);
        add_near<kExact>(formulas, e, threshold, near, tail, sums);
      });
    }
    totals.add(sums);
    return near_count;
  }

  template <bool kExact>
  static void near_sums(const C* errors, int64_t n, const LossParameters<C>& w, const Tail<C>& tail,
                        Totals& totals) {
    int64_t i = 0;
    for (; i + kTileLength <= n; i += kTileLength) {
      near_tile<kExact, true, true>(Errors{errors}, i, kTileLength, w, tail, totals);
    }
    if (i < n) near_tile<kExact, false, true>(Errors{errors}, i, n - i, w, tail, totals);
  }

  // Those near the threshold are put aside, `kept` of them with those that are there already.
  template <bool kWhole, typename Source>
  static TAILOPS_INLINE int64_t far_tile(const Source& source, int64_t i, int64_t length,
                                         const Tail<C>& tail, C* aside, int64_t kept,
                                         Totals& totals) {
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    TileOf sums;
    for_each_vector_of_tile<kWhole>(i, length, [&](int64_t k, int count, M valid) TAILOPS_INLINE {
      const V e = source.error(k, count, valid, sums.squares);
      sums.errors += e;
      sums.above += Base::zero_unless(e > high, e);
      const uint32_t bits = Base::bits_inside(e, low, high, valid);
      if (Base::kBranchesOnKept && bits == 0) return;
      kept += compact(aside + kept, e, bits);
    });
    totals.add(sums);
    return kept;
  }

  template <bool kExact, typename Source>
  static void run(const Source source, int64_t n, const LossParameters<C> w, const Tail<C> tail,
                  Sums& sums) {
    constexpr int64_t kAside = 8 * kTileLength;
    C aside[kAside + kSlack];
    int64_t kept = 0;
    Totals totals;
    bool most_are_near = false;
    int64_t i = 0;
    for (; i + kTileLength <= n; i += kTileLength) {
      if (most_are_near) {
        const int64_t near =
            near_tile<kExact, true, false>(source, i, kTileLength, w, tail, totals);
        most_are_near = 2 * near > kTileLength;
        continue;
      }
      const int64_t before = kept;
      kept = far_tile<true>(source, i, kTileLength, tail, aside, kept, totals);
      most_are_near = 2 * (kept - before) > kTileLength;
      if (kept > kAside - kTileLength) {
        near_sums<kExact>(aside, kept, w, tail, totals);
        kept = 0;
      }
    }
    if (i < n) kept = far_tile<false>(source, i, n - i, tail, aside, kept, totals);
    near_sums<kExact>(aside, kept, w, tail, totals);
    const C negligible = Base::negligible(w, tail.steepness);
    const V threshold = Base::zero_below(negligible, broadcast(tail.threshold));
    sums += totals.sums(Base::formulas_of(w), threshold[0], tail.steepness);
  }

  static void sum(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                  const Tail<C>& tail, Sums& sums) {
    const auto pass = w.mode == GradientMode::kExact ? run<true, Inputs> : run<false, Inputs>;
    pass({y_true, y_pred, Base::formulas_of(w)}, n, w, tail, sums);
  }

  static void sum_errors(const C* errors, int64_t n, const LossParameters<C>& w,
                         const Tail<C>& tail, Sums& sums) {
    const auto pass = w.mode == GradientMode::kExact ? run<true, Errors> : run<false, Errors>;
    pass({errors}, n, w, tail, sums);
  }

  // The upstream gradients of the elements that are equal to an order statistic.
  struct TiedLanes : ExactSum<Wide<C>> {
    TiedLanes() : ExactSum<Wide<C>>{wide_broadcast<C>(0.0), wide_broadcast<C>(0.0)} {}

    TAILOPS_INLINE void add_tied(M tied, const Wide<C>& upstream) {
      const Wide<C> zero = wide_broadcast<C>(0.0);
      this->add(choose<C>(tied, upstream, zero), zero);
    }
    TiedUpstream total() const {
      TiedUpstream all{};
      for (int k = 0; k < Wide<C>::kParts; ++k) {
        for (int lane = 0; lane < kLanes<double>; ++lane) {
          all.add(this->sum.part[k][lane], this->rest.part[k][lane]);
        }
      }
      return all;
    }
  };

  // Σ upstream·∂L/∂t.
  static ThresholdGradient threshold_gradient(const T* y_true, const T* y_pred, int64_t n,
                                              const LossParameters<C>& w, const Tail<C>& tail,
                                              const Upstream<T>& upstream) {
    const Formulas formulas = Base::formulas_of(w);
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    const V lower = broadcast(tail.lower), upper = broadcast(tail.upper);
    const C threshold = tail.threshold, steepness = tail.steepness;
    const Wide<C> zero = wide_broadcast<C>(0.0);
    Wide<C> others = zero;
    TiedLanes at_lower, at_upper;
    Base::for_each_residual(
        y_true, y_pred, n, [&](V d, int64_t i, M valid, int count) TAILOPS_INLINE {
          const V e = formulas.error(d);
          const M near = Base::inside(e, low, high) & valid;
          if (bits_of(near) == 0) return;
          const Wide<C> g = exact_upstream(upstream, i, count);
          const M ties = Base::tied(near, e, lower, upper);
          if (bits_of(ties) != 0) {
            at_lower.add_tied(ties & (e == lower), g);
            at_upper.add_tied(ties & (e != lower), g);
          }
          if (bits_of(near & ~ties) == 0) return;
          const V slope =
              formulas.threshold_derivative(e, formulas.indicator(e, threshold, steepness));
          others = others + choose<C>(near & ~ties, to_wide<C>(slope) * g, zero);
        });
    return {others.total(), at_lower.total(), at_upper.total()};
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
