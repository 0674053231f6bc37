#pragma once

// The gradient of each element.

#include "cpu/simd/tail.h"
#include "cpu/simd/tiles.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct GradientLoops : TileLoops<Error, T> {
  using Base = TileLoops<Error, T>;
  using Base::kStep;
  using typename Base::Aside;
  using typename Base::C;
  using typename Base::Formulas;
  using typename Base::M;
  using typename Base::Output;
  using typename Base::V;

  // One upstream gradient for all, or one each.
  template <bool kEach, typename Where>
  struct Tile {
    const T* y_true;
    const T* y_pred;
    Where where;
    Upstream<T> upstream;
    Formulas formulas;
    bool fixed_weight;

    // Where one value serves all that tie with lower, and one all that tie with upper.
    static constexpr bool kSameTies = !kEach && Where::kOneForAll;
    V tied_lower{}, tied_upper{};
    // Where it is the same for all: what is written might be the upstream gradient, so the compiler
    // would read it again for each vector.
    V common_upstream{};

    void prepare() {
      if (!kEach) {
        common_upstream = broadcast(widen(*upstream.values) * static_cast<C>(upstream.factor));
      }
      if (!kSameTies) return;
      const NearTies<C> ties = where.near_ties(int64_t{0});
      const Wide<C> exact_g = exact_upstream(upstream, 0, kStep);
      tied_lower = to_compute<C>(Formulas::tied_by_error(ties.lower, exact_g));
      tied_upper = to_compute<C>(Formulas::tied_by_error(ties.upper, exact_g));
    }

    V residuals(int64_t i, int count) const {
      return Base::residuals(y_true + i, y_pred + i, count);
    }

    V upstream_at(int64_t i, int count) const {
      if (!kEach) return common_upstream;
      return Base::load_count(upstream.values + i, count) * static_cast<C>(upstream.factor);
    }

    V far(V d, V, M above, int64_t i, int count) const {
      const V g = upstream_at(i, count);
      return formulas.residual_derivative(d, formulas.far_by_error(g, above), g);
    }

    // What arrives at the error of elements near the threshold that do not tie with it.
    template <typename At>
    TAILOPS_INLINE V untied_by_error(V error, V g, At at) const {
      const auto steepness = where.steepness(at);
      const auto negligible = Base::negligible(formulas, steepness);
      const V e = Base::zero_below(negligible, error);
      const Indicator<V> h =
          formulas.indicator(e, Base::zero_below(negligible, where.threshold(at)), steepness);
      const V weight = formulas.weight(h);
      return g * (fixed_weight ? weight : weight + formulas.spike(e, h));
    }

    // Those that tie with an order statistic share what comes through the threshold; where many are
    // equal, most of those near the threshold are at it, and none needs an exponential. The
    // thresholds are those at `at`, the upstream gradients those from `i` on.
    template <typename At>
    TAILOPS_INLINE V near_by_error(V e, M near, V g, At at, int64_t i, int count) const {
      const M at_lower = e == where.lower(at), ties = at_lower | (e == where.upper(at));
      V by_error{};
      if (bits_of(near & ~ties) != 0) by_error = untied_by_error(e, g, at);
      if (bits_of(ties) == 0) return by_error;
      if (kSameTies) return choose(ties, choose(at_lower, tied_lower, tied_upper), by_error);
      const NearTies<C> tied = where.near_ties(at);
      const Wide<C> exact_g = exact_upstream(upstream, i, count);
      by_error =
          choose(at_lower, to_compute<C>(Formulas::tied_by_error(tied.lower, exact_g)), by_error);
      const M at_upper = ties & ~at_lower;
      if (bits_of(at_upper) == 0) return by_error;
      return choose(at_upper, to_compute<C>(Formulas::tied_by_error(tied.upper, exact_g)),
                    by_error);
    }
  };

  template <typename AnyTile>
  [[gnu::noinline]] static void write_near(const AnyTile tile, Aside& aside, T* to) {
    aside.pad();
    const int count = aside.count;
    AnyTile gathered = tile;
    T upstream[kStep], written[kStep];
    if (gathered.upstream.each) gathered.upstream.values = upstream;
    for (int k = 0; k < count; k += kStep) {
      const Position<C>* const positions = aside.positions + k;
      if (gathered.upstream.each) {
        for (int lane = 0; lane < kStep; ++lane) {
          upstream[lane] = tile.upstream.values[positions[lane]];
        }
      }
      const V d = load(aside.residuals + k);
      const V g = gathered.upstream_at(0, kStep);
      const V by_error =
          gathered.near_by_error(tile.formulas.error(d), M{} - 1, g, positions, 0, kStep);
      store(written, tile.formulas.residual_derivative(d, by_error, g));
      const int lanes = count - k < kStep ? count - k : kStep;
      for (int lane = 0; lane < lanes; ++lane) to[positions[lane]] = written[lane];
    }
  }

  // The same gradients where many elements are near. Returns how many are.
  template <typename AnyTile>
  static int64_t write_all(const AnyTile& tile, int64_t n, T* to) {
    constexpr int64_t kVectors = Base::kTile * kStep;
    int64_t near = 0, i = 0;
    for (; i + kVectors <= n; i += kVectors) {
      if (all_are_untied(tile, i, i + kVectors)) {
        write_untied(tile, i, i + kVectors, to);
        near += kVectors;
      } else {
        near += write_any(tile, i, i + kVectors, kStep, to);
      }
    }
    const int64_t whole = n / kStep * kStep;
    near += write_any(tile, i, whole, kStep, to);
    if (whole < n) near += write_any(tile, whole, n, static_cast<int>(n - whole), to);
    return near;
  }

  // Whether all elements are near the threshold and none ties with it, which is usual.
  template <typename AnyTile>
  [[gnu::noinline]] static bool all_are_untied(const AnyTile& any, int64_t begin, int64_t end) {
    const AnyTile tile = any;
    M others{};
    for (int64_t i = begin; i < end; i += kStep) {
      Base::fetch_ahead(tile.y_true + i, tile.y_pred + i, i / kStep);
      const V e = tile.formulas.error(tile.residuals(i, kStep));
      others |= ~Base::inside(e, tile.where.band_low(i), tile.where.band_high(i)) |
                (e == tile.where.lower(i)) | (e == tile.where.upper(i));
    }
    return bits_of(others) == 0;
  }

  template <typename AnyTile>
  [[gnu::noinline]] static void write_untied(const AnyTile& any, int64_t begin, int64_t end,
                                             T* to) {
    const AnyTile tile = any;
    for (int64_t i = begin; i < end; i += kStep) {
      const V d = tile.residuals(i, kStep);
      const V e = tile.formulas.error(d);
      const V g = tile.upstream_at(i, kStep);
      const V by_error = tile.untied_by_error(e, g, i);
      store(to + i, tile.formulas.residual_derivative(d, by_error, g));
    }
  }

  // Whole vectors or one of `count` elements. Returns how many elements are near.
  template <typename AnyTile>
  [[gnu::noinline]] static int64_t write_any(const AnyTile& any, int64_t begin, int64_t end,
                                             int count, T* to) {
    const AnyTile tile = any;
    int64_t near_count = 0;
    for (int64_t i = begin; i < end; i += kStep) {
      const V d = tile.residuals(i, count);
      const V e = tile.formulas.error(d);
      const V g = tile.upstream_at(i, count);
      const M above = e > tile.where.band_high(i);
      const M near = ~((e < tile.where.band_low(i)) | above);
      const uint32_t bits = bits_of(near);
      near_count += __builtin_popcount(bits);
      V by_error = tile.formulas.far_by_error(g, above);
      if (bits != 0) {
        by_error = choose(near, tile.near_by_error(e, near, g, i, i, count), by_error);
      }
      Base::store_count(to + i, tile.formulas.residual_derivative(d, by_error, g), count);
    }
    return near_count;
  }

  template <bool kEach, typename Where>
  static void run(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                  const Where& where, const Upstream<T>& upstream, bool streamed, T* out) {
    Output output(out, streamed);
    Base::template write_tiles<GradientLoops>(n, output, [&](int64_t begin) TAILOPS_INLINE {
      Tile<kEach, Where> tile{y_true + begin,       y_pred + begin,
                              where.from(begin),    upstream,
                              Base::formulas_of(w), w.mode == GradientMode::kFixedWeight};
      if (kEach) tile.upstream.values += begin;
      tile.prepare();
      return tile;
    });
  }

  static void gradient(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                       const Tail<C>& tail, const Ties& ties, const Upstream<T>& upstream,
                       bool streamed, T* out) {
    const auto pass = upstream.each ? run<true, TiedRowTail<C>> : run<false, TiedRowTail<C>>;
    pass(y_true, y_pred, n, w, {{tail}, ties}, upstream, streamed, out);
  }

  static void column_gradient(const T* y_true, const T* y_pred, int64_t n,
                              const LossParameters<C>& w, const TailColumns<C>& columns,
                              int64_t first, const Upstream<T>& upstream, bool streamed, T* out) {
    const auto pass = upstream.each ? run<true, TiedColumnTail<C>> : run<false, TiedColumnTail<C>>;
    pass(y_true, y_pred, n, w, {{&columns, first}}, upstream, streamed, out);
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
