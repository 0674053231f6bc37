#pragma once

// The gradient of each element.

#include "tiles.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

// What the elements of one vector are compared with.
template <typename C>
struct NearTail {
  Vector<C> threshold, lower, upper;
  Wide<C> direct_lower, direct_upper, through_lower, through_upper;
};

// The same threshold for every element.
template <typename C>
struct RowTail {
  Tail<C> tail;
  Ties ties;

  Vector<C> band_low(int64_t) const { return broadcast(tail.band_low); }
  Vector<C> band_high(int64_t) const { return broadcast(tail.band_high); }

  NearTail<C> near(int64_t) const {
    return {broadcast(tail.threshold),
            broadcast(tail.lower),
            broadcast(tail.upper),
            wide_broadcast<C>(ties.direct_lower),
            wide_broadcast<C>(ties.direct_upper),
            wide_broadcast<C>(ties.through_lower),
            wide_broadcast<C>(ties.through_upper)};
  }

  NearTail<C> gathered(const Position<C>*) const { return near(0); }

  RowTail from(int64_t) const { return *this; }

  static constexpr bool kOneForAll = true;
};

// Element i has the threshold of column first + i.
template <typename C>
struct ColumnTail {
  const TailColumns<C>* columns;
  int64_t first;

  Vector<C> band_low(int64_t i) const { return load(&columns->band_low[first + i]); }
  Vector<C> band_high(int64_t i) const { return load(&columns->band_high[first + i]); }

  NearTail<C> near(int64_t i) const {
    const auto of = [&](const std::vector<C>& v) { return load(&v[first + i]); };
    const auto wide = [&](const std::vector<double>& v) { return wide_load<C>(&v[first + i]); };
    return {of(columns->threshold),      of(columns->lower),          of(columns->upper),
            wide(columns->direct_lower), wide(columns->direct_upper), wide(columns->through_lower),
            wide(columns->through_upper)};
  }

  NearTail<C> gathered(const Position<C>* positions) const {
    const auto of = [&](const auto& v, auto& gathered) {
      for (int lane = 0; lane < kLanes<C>; ++lane) gathered[lane] = v[first + positions[lane]];
    };
    C threshold[kLanes<C>], lower[kLanes<C>], upper[kLanes<C>];
    double direct_lower[kLanes<C>], direct_upper[kLanes<C>];
    double through_lower[kLanes<C>], through_upper[kLanes<C>];
    of(columns->threshold, threshold);
    of(columns->lower, lower);
    of(columns->upper, upper);
    of(columns->direct_lower, direct_lower);
    of(columns->direct_upper, direct_upper);
    of(columns->through_lower, through_lower);
    of(columns->through_upper, through_upper);
    return {load(threshold),
            load(lower),
            load(upper),
            wide_load<C>(direct_lower),
            wide_load<C>(direct_upper),
            wide_load<C>(through_lower),
            wide_load<C>(through_upper)};
  }

  ColumnTail from(int64_t i) const { return {columns, first + i}; }

  static constexpr bool kOneForAll = false;
};

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
    C negligible;
    bool fixed_weight;

    // Where one value serves all that tie with lower, and one all that tie with upper.
    static constexpr bool kSameTies = !kEach && Where::kOneForAll;
    V tied_lower{}, tied_upper{};
    // Where it is the same for all: what is written might be the upstream gradient, so the compiler
    // would read it again for each vector.
    V common_upstream{};

    void prepare() {
      if (!kEach) {
        common_upstream = broadcast(widen(*upstream.values) * static_cast<C>(upstream.scale));
      }
      if (!kSameTies) return;
      const NearTail<C> tail = where.near(0);
      const M all = M{} - 1;
      const M both = tail.lower == tail.upper;
      tied_lower = tied_by_error(all, both, 0, kStep, tail);
      tied_upper = tied_by_error(both, all, 0, kStep, tail);
    }

    V residuals(int64_t i, int count) const {
      return Base::load_count(y_pred + i, count) - Base::load_count(y_true + i, count);
    }

    V upstream_at(int64_t i, int count) const {
      if (!kEach) return common_upstream;
      return Base::load_count(upstream.values + i, count) * static_cast<C>(upstream.scale);
    }

    // What arrives at the error of an element far from the threshold.
    V far_by_error(V g, M above) const {
      const C below = C(1) - formulas.beta;
      return choose(above, g * (below * (C(1) + formulas.scale)), g * below);
    }

    V far(V d, V, M above, int64_t i, int count) const {
      const V g = upstream_at(i, count);
      return formulas.residual_derivative(d, far_by_error(g, above), g);
    }

    // What arrives at the error of elements near the threshold that do not tie with it.
    TAILOPS_INLINE V untied_by_error(V error, V g, V threshold) const {
      const V e = Base::zero_below(negligible, error);
      const Indicator<V> h =
          tail_indicator(e, Base::zero_below(negligible, threshold), formulas.kappa);
      const V weight = formulas.weight(h);
      return g * (fixed_weight ? weight : weight + formulas.spike(e, h));
    }

    // Those that tie with an order statistic share what comes through the threshold; where many are
    // equal, most of those near the threshold are at it, and none needs an exponential.
    TAILOPS_INLINE V near_by_error(V e, M near, V g, int64_t i, int count,
                                   const NearTail<C>& tail) const {
      const M at_lower = e == tail.lower, at_upper = e == tail.upper;
      const M ties = at_lower | at_upper;
      V by_error{};
      if (bits_of(near & ~ties) != 0) by_error = untied_by_error(e, g, tail.threshold);
      if (bits_of(ties) == 0) return by_error;
      const V tied = kSameTies ? choose(at_lower, tied_lower, tied_upper)
                               : tied_by_error(at_lower, at_upper, i, count, tail);
      return choose(ties, tied, by_error);
    }

    // In float64: the two parts of it cancel.
    V tied_by_error(M at_lower, M at_upper, int64_t i, int count, const NearTail<C>& tail) const {
      const Wide<C> zero = wide_broadcast<C>(0.0);
      const Wide<C> direct = choose<C>(at_lower, tail.direct_lower, tail.direct_upper);
      const Wide<C> through = choose<C>(at_lower, tail.through_lower, zero) +
                              choose<C>(at_upper, tail.through_upper, zero);
      const Wide<C> exact_g = exact_upstream(upstream, i, count);
      return to_narrow<C>(formulas.tied_by_error(direct, exact_g, through));
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
      const V by_error = gathered.near_by_error(tile.formulas.error(d), M{} - 1, g, 0, kStep,
                                                tile.where.gathered(positions));
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
      const NearTail<C> tail = tile.where.near(i);
      others |= ~Base::inside(e, tile.where.band_low(i), tile.where.band_high(i)) |
                (e == tail.lower) | (e == tail.upper);
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
      const V by_error = tile.untied_by_error(e, g, tile.where.near(i).threshold);
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
      V by_error = tile.far_by_error(g, above);
      if (bits != 0) {
        by_error =
            choose(near, tile.near_by_error(e, near, g, i, count, tile.where.near(i)), by_error);
      }
      Base::store_count(to + i, tile.formulas.residual_derivative(d, by_error, g), count);
    }
    return near_count;
  }

  template <bool kEach, typename Where>
  static void run(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                  const Where& where, const Upstream<T>& upstream, bool streamed, T* out) {
    Output output(out, streamed);
    Base::template write_tiles<GradientLoops>(n, output, [&](int64_t begin) TAILOPS_INLINE {
      Tile<kEach, Where> tile{y_true + begin,
                              y_pred + begin,
                              where.from(begin),
                              upstream,
                              Base::formulas_of(w),
                              Base::negligible(w),
                              w.mode == GradientMode::kFixedWeight};
      if (kEach) tile.upstream.values += begin;
      tile.prepare();
      return tile;
    });
  }

  static void gradient(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                       const Tail<C>& tail, const Ties& ties, const Upstream<T>& upstream,
                       bool streamed, T* out) {
    const auto pass = upstream.each ? run<true, RowTail<C>> : run<false, RowTail<C>>;
    pass(y_true, y_pred, n, w, {tail, ties}, upstream, streamed, out);
  }

  static void column_gradient(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                              const TailColumns<C>& columns, int64_t first,
                              const Upstream<T>& upstream, bool streamed, T* out) {
    const auto pass = upstream.each ? run<true, ColumnTail<C>> : run<false, ColumnTail<C>>;
    pass(y_true, y_pred, n, w, {&columns, first}, upstream, streamed, out);
  }

  // ∂L/∂e of an element that is an order statistic, with the threshold held constant, for an
  // upstream gradient of one.
  static double direct_derivative(C error, C threshold, const Weights<C>& w) {
    const Formulas formulas = Base::formulas_of(w);
    const V e = broadcast(error);
    const Indicator<V> h = tail_indicator(e, threshold, w.kappa);
    const double weight = formulas.weight(h)[0];
    const double spike = formulas.spike(e, h)[0];
    return w.mode == GradientMode::kFixedWeight ? weight : weight + spike;
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
