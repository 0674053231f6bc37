#pragma once

// The loss of each element.

#include "lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct LossLoops : ErrorLanes<Error, T> {
  using Base = ErrorLanes<Error, T>;
  using typename Base::C;
  using typename Base::Formulas;
  using typename Base::M;
  using typename Base::V;

  static void errors(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w, C* out) {
    const Formulas formulas = Base::formulas_of(w);
    Base::for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M, int count) TAILOPS_INLINE {
      Base::store_count(out + i, formulas.error(p - t), count);
    });
  }

  // L of one vector.
  static V loss(V d, V threshold, V low, V high, const Weights<C>& w, const Formulas& formulas) {
    const V e = formulas.error(d);
    V weighted = e * Base::flat_weight(e, high, w);
    const M near = Base::inside(e, low, high);
    if (bits_of(near) != 0) {
      weighted =
          choose(near, formulas.weighted(e, tail_indicator(e, threshold, w.kappa)), weighted);
    }
    return formulas.mixed(d, weighted);
  }

  static void losses(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                     const Tail<C>& tail, C* out) {
    const Formulas formulas = Base::formulas_of(w);
    const V threshold = broadcast(tail.threshold);
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    Base::for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M, int count) TAILOPS_INLINE {
      Base::store_count(out + i, loss(p - t, threshold, low, high, w, formulas), count);
    });
  }

  static void column_losses(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                            const TailColumns<C>& columns, int64_t first, C* out) {
    const Formulas formulas = Base::formulas_of(w);
    Base::for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M, int count) TAILOPS_INLINE {
      const auto of = [&](const std::vector<C>& v) {
        return load(&v[static_cast<size_t>(first + i)]);
      };
      Base::store_count(out + i,
                        loss(p - t, of(columns.threshold), of(columns.band_low),
                             of(columns.band_high), w, formulas),
                        count);
    });
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
