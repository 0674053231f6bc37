#pragma once

// Many groups at once, one per column of a matrix that is read in the order in which it lies.

#include "cpu/simd/tail.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct ColumnLoops : ErrorLanes<Error, T> {
  using Base = ErrorLanes<Error, T>;
  using Base::kStep;
  using typename Base::C;
  using typename Base::Formulas;
  using typename Base::M;
  using typename Base::V;

  // Σ d² of a row of any length.
  class RowSquares {
   public:
    void add(V squares) {
      tile_ += squares;
      if (++vectors_ % Base::kTile == 0) flush();
    }
    double total() {
      flush();
      return total_.total();
    }

   private:
    void flush() {
      total_.add(tile_);
      tile_ = V{};
    }

    V tile_{};
    TileSums<C> total_;
    int vectors_ = 0;
  };

  // The errors below band_low[i] to below_sum[i]; the others are candidates.
  static void column_collect(const T* y_true, const T* y_pred, int64_t n,
                             const LossParameters<C>& w, const C* band_low, C* below_sum,
                             ColumnCandidates<C>& found) {
    const Formulas formulas = Base::formulas_of(w);
    const bool with_squares = w.beta != C(0);
    C* const values = found.values + found.count;
    Position<C>* const columns = found.columns + found.count;
    int64_t kept = 0;
    RowSquares squares;
    M column = lane_numbers<C>();
    Base::for_each_residual(
        y_true, y_pred, n, [&](V d, int64_t i, M valid, int count) TAILOPS_INLINE {
          const V e = formulas.error(d);
          const M below = valid & (e < load(band_low + i));
          const V sum = Base::load_count(below_sum + i, count) + Base::zero_unless(below, e);
          Base::store_count(below_sum + i, sum, count);
          if (with_squares) squares.add(Base::zero_unless(valid, d * d));
          const uint32_t bits = bits_of(valid & ~below);
          compact(values + kept, e, bits);
          kept += compact(columns + kept, column, bits);
          column += kStep;
        });
    found.count += kept;
    found.squares += squares.total();
  }

  // Σ ℓ, Σ d² of all and Σ ∂L/∂t, each element with its column's threshold.
  static void column_sum(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                         const TailColumns<C>& columns, C* weighted, C* slopes, double& squares) {
    const Formulas formulas = Base::formulas_of(w);
    const bool exact = w.mode == GradientMode::kExact;
    RowSquares row_squares;
    Base::for_each_residual(
        y_true, y_pred, n, [&](V d, int64_t i, M valid, int count) TAILOPS_INLINE {
          const ColumnTail<C> tail{&columns, 0};
          const V e = formulas.error(d);
          const V high = tail.band_high(i);
          const M near = valid & Base::inside(e, tail.band_low(i), high);
          V loss = formulas.far_weighted(e, e > high);
          if (bits_of(near) != 0) {
            const Indicator<V> h = formulas.indicator(e, tail.threshold(i), tail.steepness(i));
            loss = choose(near, formulas.weighted(e, h), loss);
            if (exact) {
              const M others = near & ~Base::tied(near, e, tail.lower(i), tail.upper(i));
              const V slope = Base::zero_unless(others, formulas.threshold_derivative(e, h));
              Base::store_count(slopes + i, Base::load_count(slopes + i, count) + slope, count);
            }
          }
          Base::store_count(weighted + i, Base::load_count(weighted + i, count) + loss, count);
          if (w.beta != C(0)) row_squares.add(Base::zero_unless(valid, d * d));
        });
    squares += row_squares.total();
  }

  // Σ upstream·∂L/∂t of each column, added to gradients[i].
  static void column_threshold_gradient(const T* y_true, const T* y_pred, int64_t n,
                                        const LossParameters<C>& w, const TailColumns<C>& columns,
                                        const Upstream<T>& upstream, ThresholdGradient* gradients) {
    const Formulas formulas = Base::formulas_of(w);
    Base::for_each_residual(
        y_true, y_pred, n, [&](V d, int64_t i, M valid, int count) TAILOPS_INLINE {
          const ColumnTail<C> tail{&columns, 0};
          const V e = formulas.error(d);
          const M near = valid & Base::inside(e, tail.band_low(i), tail.band_high(i));
          if (bits_of(near) == 0) return;
          const M at_lower = near & (e == tail.lower(i));
          const uint32_t ties = bits_of(Base::tied(near, e, tail.lower(i), tail.upper(i)));
          const uint32_t lower = bits_of(at_lower), others = bits_of(near) & ~ties;
          const Wide<C> exact_g = exact_upstream(upstream, i, count);
          V slope{};
          if (others != 0) {
            slope = formulas.threshold_derivative(
                e, formulas.indicator(e, tail.threshold(i), tail.steepness(i)));
          }
          double g[kStep];
          memcpy(g, &exact_g, sizeof(g));
          for (int lane = 0; lane < count; ++lane) {
            ThresholdGradient& gradient = gradients[i + lane];
            if (others >> lane & 1) {
              gradient.others += static_cast<double>(slope[lane]) * g[lane];
            } else if (ties >> lane & 1) {
              (lower >> lane & 1 ? gradient.lower : gradient.upper).add(g[lane], 0.0);
            }
          }
        });
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
