// The loops for one instruction set: the compiler's flags say which, and TAILOPS_TARGET names it.

#include <utility>

#include "loops.h"

// vector.h first, so that the formulas find the vectors' primitives: built-in types have no
// namespace to look in.
// clang-format off
#include "vector.h"
#include "../formulas.h"
// clang-format on

// The loops' bodies are called twice, for whole vectors and for the rest: inlined all the same, or
// what they accumulate would live in memory.
#define TAILOPS_INLINE __attribute__((always_inline))

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct LoopsFor {
  using C = ComputeType<T>;
  using V = Vector<C>;
  using M = Mask<C>;
  using Formulas = TailFormulas<Error, C>;
  static constexpr int kStep = kLanes<C>;
  // Vectors that are added up in C before float64 takes over.
  static constexpr int kTile = 16;

  // Where the target compacts a vector without a branch, not branching at all is faster.
#if defined(__AVX512F__)
  static constexpr bool kBranchesOnKept = false;
#elif defined(__AVX2__)
  static constexpr bool kBranchesOnKept = sizeof(C) == 8;
#else
  static constexpr bool kBranchesOnKept = true;
#endif

  static Formulas formulas_of(const Weights<C>& w) { return {w.kappa, w.scale, w.beta, w.epsilon}; }

  // body(y_true, y_pred, offset, valid, count): whole vectors of elements, then the rest padded
  // with zeros. `valid` is true in the lanes that exist, `count` how many they are.
  template <typename Body>
  static void for_each_vector(const T* y_true, const T* y_pred, int64_t n, const Body& body) {
    const M all = M{} - 1;
    int64_t i = 0;
    for (; i + kStep <= n; i += kStep) {
      body(load(y_true + i), load(y_pred + i), i, all, kStep);
    }
    if (i < n) {
      const int rest = static_cast<int>(n - i);
      body(load_some(y_true + i, rest), load_some(y_pred + i, rest), i, first_lanes<C>(rest), rest);
    }
  }

  template <typename U>
  static auto load_some(const U* from, int count) {
    U padded[kStep] = {};
    memcpy(padded, from, sizeof(U) * static_cast<size_t>(count));
    return load(padded);
  }

  template <typename U>
  static auto load_count(const U* from, int count) {
    return count == kStep ? load(from) : load_some(from, count);
  }

  template <typename U>
  static void store_count(U* to, V v, int count) {
    if (count == kStep) return store(to, v);
    U padded[kStep];
    store(padded, v);
    memcpy(to, padded, sizeof(U) * static_cast<size_t>(count));
  }

  static V zero_unless(M mask, V v) { return choose(mask, v, V{}); }

  // Sums that are kept in C for a tile's length.
  struct Accumulator {
    V tile{};
    LaneSums<C> total;
    void flush() {
      total.add(tile);
      tile = V{};
    }
  };

  static void errors(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w, C* out) {
    const Formulas formulas = formulas_of(w);
    for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M, int count) TAILOPS_INLINE {
      store_count(out + i, formulas.error(p - t), count);
    });
  }

  template <bool kSquares>
  static void collect_pass(const T* y_true, const T* y_pred, int64_t n, const Formulas& formulas,
                           const Bracket<C>& bracket, Collected<C>& found) {
    Accumulator below_sum, above_sum, square_sum;
    M below_count{}, low_count{}, high_count{};
    C* candidate = found.candidates + found.count;
    const auto step = [&](V t, V p, M valid) TAILOPS_INLINE {
      const V d = p - t;
      const V e = formulas.error(d);
      const M below = (e < bracket.band_low) & valid;
      const M above = (e > bracket.band_high) & valid;
      below_count -= below;
      below_sum.tile += zero_unless(below, e);
      above_sum.tile += zero_unless(above, e);
      if (kSquares) square_sum.tile += zero_unless(valid, d * d);
      const M at_low = valid & (e == bracket.low);
      const M at_high = valid & (e == bracket.high) & ~at_low;
      low_count -= at_low;
      high_count -= at_high;
      const uint32_t kept = bits_of(valid & ~(below | above | at_low | at_high));
      if (kBranchesOnKept && kept == 0) return;
      candidate += compact(candidate, e, kept);
    };
    const auto flush = [&]() TAILOPS_INLINE {
      below_sum.flush();
      above_sum.flush();
      if (kSquares) square_sum.flush();
    };
    const M all = M{} - 1;
    int64_t i = 0;
    for (; i + kStep * kTile <= n; flush()) {
      for (int k = 0; k < kTile; ++k, i += kStep) step(load(y_true + i), load(y_pred + i), all);
    }
    for_each_vector(y_true + i, y_pred + i, n - i,
                    [&](V t, V p, int64_t, M valid, int) TAILOPS_INLINE { step(t, p, valid); });
    flush();

    found.count = candidate - found.candidates;
    found.below_sum += below_sum.total.total();
    found.above_sum += above_sum.total.total();
    found.square_sum += square_sum.total.total();
    for (int lane = 0; lane < kStep; ++lane) {
      found.below += below_count[lane];
      found.at_low += low_count[lane];
      found.at_high += high_count[lane];
    }
  }

  static void collect(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                      const Bracket<C>& bracket, Collected<C>& found) {
    const auto pass = w.beta == C(0) ? collect_pass<false> : collect_pass<true>;
    pass(y_true, y_pred, n, formulas_of(w), bracket, found);
  }

  static void sum_errors(const C* errors, int64_t n, const Weights<C>& w, C threshold, Sums& sums) {
    const Formulas formulas = formulas_of(w);
    const bool exact = w.mode == GradientMode::kExact;
    Accumulator weighted, slopes;
    int64_t i = 0;
    const auto step = [&](V e, M valid) TAILOPS_INLINE {
      const Indicator<V> h = tail_indicator(e, threshold, w.kappa);
      weighted.tile += zero_unless(valid, formulas.weighted(e, h));
      if (exact) slopes.tile += zero_unless(valid, formulas.threshold_derivative(e, h));
    };
    const auto flush = [&]() TAILOPS_INLINE {
      weighted.flush();
      slopes.flush();
    };
    const M all = M{} - 1;
    for (; i + kStep * kTile <= n; flush()) {
      for (int k = 0; k < kTile; ++k, i += kStep) step(load(errors + i), all);
    }
    for (; i < n; i += kStep) {
      const int count = static_cast<int>(n - i < kStep ? n - i : kStep);
      step(load_count(errors + i, count), first_lanes<C>(count));
    }
    flush();
    sums.weighted += weighted.total.total();
    sums.threshold_gradient += slopes.total.total();
  }

  static M inside(V e, V band_low, V band_high) { return ~((e < band_low) | (e > band_high)); }

  // 1 + s·h where h is 0 or 1.
  static V flat_weight(V e, V band_high, const Weights<C>& w) {
    return choose(e > band_high, broadcast(C(1) + w.scale), broadcast(C(1)));
  }

  // Elements near the threshold are put aside until there are enough to fill vectors: however few
  // of each vector they are, no exponential is computed for the others.
  static void sum(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                  const Tail<C>& tail, Sums& sums) {
    const Formulas formulas = formulas_of(w);
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    constexpr int kAside = 1024;
    C aside[kAside + kSlack];
    int kept = 0;
    Accumulator weighted, squares;
    int vectors = 0;
    const auto flush = [&]() TAILOPS_INLINE {
      weighted.flush();
      squares.flush();
      vectors = 0;
    };
    for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t, M valid, int) TAILOPS_INLINE {
      const V d = p - t;
      const V e = formulas.error(d);
      const M near = inside(e, low, high) & valid;
      const V far = e * flat_weight(e, high, w);
      weighted.tile += zero_unless(valid & ~near, far);
      if (w.beta != C(0)) squares.tile += zero_unless(valid, d * d);
      kept += compact(aside + kept, e, bits_of(near));
      if (++vectors == kTile) {
        flush();
        if (kept > kAside - kTile * kStep) {
          sum_errors(aside, kept, w, tail.threshold, sums);
          kept = 0;
        }
      }
    });
    flush();
    sum_errors(aside, kept, w, tail.threshold, sums);
    sums.weighted += weighted.total.total();
    sums.squares += squares.total.total();
  }

  // L of one vector.
  static V loss(V d, V threshold, V low, V high, const Weights<C>& w, const Formulas& formulas) {
    const V e = formulas.error(d);
    V weighted = e * flat_weight(e, high, w);
    const M near = inside(e, low, high);
    if (bits_of(near) != 0) {
      weighted =
          choose(near, formulas.weighted(e, tail_indicator(e, threshold, w.kappa)), weighted);
    }
    return formulas.mixed(d, weighted);
  }

  static void losses(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                     const Tail<C>& tail, C* out) {
    const Formulas formulas = formulas_of(w);
    const V threshold = broadcast(tail.threshold);
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M, int count) TAILOPS_INLINE {
      store_count(out + i, loss(p - t, threshold, low, high, w, formulas), count);
    });
  }

  static void column_losses(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                            const TailColumns<C>& tail, int64_t first, C* out) {
    const Formulas formulas = formulas_of(w);
    for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M, int count) TAILOPS_INLINE {
      const auto of = [&](const std::vector<C>& v) { return load_count(&v[first + i], count); };
      store_count(
          out + i,
          loss(p - t, of(tail.threshold), of(tail.band_low), of(tail.band_high), w, formulas),
          count);
    });
  }

  static V upstream_of(const Upstream<T>& upstream, int64_t i, int count) {
    const C scale = static_cast<C>(upstream.scale);
    return upstream.each ? load_count(upstream.values + i, count) * scale
                         : broadcast(widen(upstream.values[0]) * scale);
  }

  static double exact_upstream_of(const Upstream<T>& upstream, int64_t i) {
    return static_cast<double>(widen(upstream.values[upstream.each ? i : 0])) * upstream.scale;
  }

  static double threshold_gradient(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                                   const Tail<C>& tail, const Upstream<T>& upstream) {
    const Formulas formulas = formulas_of(w);
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    double sum = 0.0;
    for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M valid, int) TAILOPS_INLINE {
      const V e = formulas.error(p - t);
      uint32_t near = bits_of(inside(e, low, high) & valid);
      if (near == 0) return;
      const V slope = formulas.threshold_derivative(e, tail_indicator(e, tail.threshold, w.kappa));
      for (; near != 0; near &= near - 1) {
        const int lane = __builtin_ctz(near);
        sum += exact_upstream_of(upstream, i + lane) * static_cast<double>(slope[lane]);
      }
    });
    return sum;
  }

  // What arrives at e, of a vector with elements near the threshold, where none ties with it.
  static V near_by_error(V e, V g, Indicator<V> h, const Weights<C>& w, const Formulas& formulas) {
    const V weight = formulas.weight(h);
    return g * (w.mode == GradientMode::kFixedWeight ? weight : weight + formulas.spike(e, h));
  }

  // What arrives at an element equal to lower, and to upper, where the upstream gradient is one for
  // all.
  struct Tied {
    V lower{};
    V upper{};
  };

  static void gradient(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                       const Tail<C>& tail, const Upstream<T>& upstream, const Through& through,
                       T* out) {
    if (upstream.each) return gradient_each(y_true, y_pred, n, w, tail, upstream, through, out);
    const V g = upstream_of(upstream, 0, kStep);
    const Tied tied = tied_of(tail, w, upstream, through);
    int64_t i = 0;
    for (; i + kTile * kStep <= n; i += kTile * kStep) {
      gradient_tile<kTile>(y_true + i, y_pred + i, kStep, w, tail, g, tied, out + i);
    }
    for (; i < n; i += kStep) {
      const int count = static_cast<int>(n - i < kStep ? n - i : kStep);
      gradient_tile<1>(y_true + i, y_pred + i, count, w, tail, g, tied, out + i);
    }
  }

  // Some whole vectors, or one of `count` elements. All are written as if they were far from the
  // threshold; those near it are gathered into vectors and written once more.
  template <int kVectors>
  static void gradient_tile(const T* y_true, const T* y_pred, int count, const Weights<C>& w,
                            const Tail<C>& tail, V g, const Tied& tied, T* out) {
    constexpr int kElements = kVectors * kStep;
    const Formulas formulas = formulas_of(w);
    const V flat_below = g * (C(1) - w.beta);
    const V flat_above = g * ((C(1) - w.beta) * (C(1) + w.scale));
    const M valid = first_lanes<C>(count);
    C near_residuals[kElements + kSlack];
    C near_positions[kElements + kSlack];  // integers, moved as what they are beside
    int near_count = 0;
    M position = lane_numbers<C>();
    for (int at = 0; at < kElements; at += kStep, position += kStep) {
      const V d = load_count(y_pred + at, count) - load_count(y_true + at, count);
      const V e = formulas.error(d);
      const M above = e > tail.band_high;
      const V by_error = choose(above, flat_above, flat_below);
      store_count(out + at, formulas.residual_derivative(d, by_error, g), count);
      const M near = valid & ~((e < tail.band_low) | above);
      const uint32_t near_bits = bits_of(near);
      if (kBranchesOnKept && near_bits == 0) continue;
      compact(near_residuals + near_count, d, near_bits);
      near_count += compact(near_positions + near_count, reinterpret<V>(position), near_bits);
    }
    if (near_count != 0) {
      write_near(near_residuals, near_positions, near_count, w, tail, g, tied, out);
    }
  }

  [[gnu::noinline]] static void write_near(C* residuals, const C* positions, int count,
                                           const Weights<C>& w, const Tail<C>& tail, V g,
                                           const Tied& tied, T* out) {
    const Formulas formulas = formulas_of(w);
    for (int k = 0; k < count; k += kStep) {
      const int here = count - k < kStep ? count - k : kStep;
      const V d = load_count(residuals + k, here);
      const V e = formulas.error(d);
      const M at_lower = e == tail.lower;
      const M at_upper = e == tail.upper;
      // Where many elements are equal, most of those near the threshold are at it.
      V by_error{};
      const M elsewhere = ~(at_lower | at_upper);
      if (bits_of(elsewhere) != 0) {
        by_error = near_by_error(e, g, tail_indicator(e, tail.threshold, w.kappa), w, formulas);
      }
      by_error = choose(at_upper, tied.upper, choose(at_lower, tied.lower, by_error));
      store_count(residuals + k, formulas.residual_derivative(d, by_error, g), here);
    }
    for (int k = 0; k < count; ++k) {
      SignedBits<C> position;
      memcpy(&position, positions + k, sizeof(position));
      out[position] = narrow<T>(residuals[k]);
    }
  }

  // The same with an upstream gradient for each element.
  static void gradient_each(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                            const Tail<C>& tail, const Upstream<T>& upstream,
                            const Through& through, T* out) {
    const Formulas formulas = formulas_of(w);
    const V low = broadcast(tail.band_low), high = broadcast(tail.band_high);
    for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M valid, int count) TAILOPS_INLINE {
      const V d = p - t;
      const V e = formulas.error(d);
      const V g = upstream_of(upstream, i, count);
      const M near = valid & inside(e, low, high);
      V by_error = g * ((C(1) - w.beta) * flat_weight(e, high, w));
      if (bits_of(near) != 0) {
        by_error = choose(near, near_each(e, g, valid, i, w, tail, upstream, through), by_error);
      }
      store_count(out + i, formulas.residual_derivative(d, by_error, g), count);
    });
  }

  static Tied tied_of(const Tail<C>& tail, const Weights<C>& w, const Upstream<T>& upstream,
                      const Through& through) {
    const Formulas formulas = formulas_of(w);
    const auto at = [&](C error, double arriving) {
      const V e = broadcast(error);
      const Indicator<V> h = tail_indicator(e, tail.threshold, w.kappa);
      const V spike = w.mode == GradientMode::kFixedWeight ? V{} : formulas.spike(e, h);
      return broadcast(formulas.tied_by_error(formulas.weight(h)[0], spike[0],
                                              exact_upstream_of(upstream, 0), arriving));
    };
    const bool same = tail.lower == tail.upper;
    const double both = through.lower + through.upper;
    return {at(tail.lower, same ? both : through.lower),
            at(tail.upper, same ? both : through.upper)};
  }

  // Apart from the loop, whose registers it would need.
  [[gnu::noinline]] static V near_each(V e, V g, M valid, int64_t i, const Weights<C>& w,
                                       const Tail<C>& tail, const Upstream<T>& upstream,
                                       const Through& through) {
    const auto arriving = [&](int, C error) {
      return (error == tail.lower ? through.lower : 0.0) +
             (error == tail.upper ? through.upper : 0.0);
    };
    return near_lanes(e, g, valid, broadcast(tail.threshold), broadcast(tail.lower),
                      broadcast(tail.upper), i, w, upstream, arriving);
  }

  // arriving(lane, error) is what comes through the threshold.
  template <typename Arriving>
  static V near_lanes(V e, V g, M valid, V threshold, V lower, V upper, int64_t i,
                      const Weights<C>& w, const Upstream<T>& upstream, const Arriving& arriving) {
    const Formulas formulas = formulas_of(w);
    const Indicator<V> h = tail_indicator(e, threshold, w.kappa);
    V by_error = near_by_error(e, g, h, w, formulas);
    if (w.mode != GradientMode::kExact) return by_error;
    const M ties = valid & ((e == lower) | (e == upper));
    if (bits_of(ties) == 0) return by_error;
    const V weight = formulas.weight(h), spike = formulas.spike(e, h);
    for (uint32_t rest = bits_of(ties); rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      by_error[lane] =
          formulas.tied_by_error(weight[lane], spike[lane], exact_upstream_of(upstream, i + lane),
                                 arriving(lane, e[lane]));
    }
    return by_error;
  }

  static void column_gradient(const T* y_true, const T* y_pred, int64_t n, const Weights<C>& w,
                              const TailColumns<C>& tail, int64_t first,
                              const Upstream<T>& upstream, T* out) {
    const Formulas formulas = formulas_of(w);
    for_each_vector(y_true, y_pred, n, [&](V t, V p, int64_t i, M valid, int count) TAILOPS_INLINE {
      const auto of = [&](const std::vector<C>& v) { return load_count(&v[first + i], count); };
      const V d = p - t;
      const V e = formulas.error(d);
      const V g = upstream_of(upstream, i, count);
      const V high = of(tail.band_high);
      const M near = valid & inside(e, of(tail.band_low), high);
      V by_error = g * ((C(1) - w.beta) * flat_weight(e, high, w));
      if (bits_of(near) != 0) {
        const auto arriving = [&](int lane, C error) {
          const int64_t c = first + i + lane;
          return (error == tail.lower[c] ? tail.through_lower[c] : 0.0) +
                 (error == tail.upper[c] ? tail.through_upper[c] : 0.0);
        };
        by_error = choose(near,
                          near_lanes(e, g, valid, of(tail.threshold), of(tail.lower),
                                     of(tail.upper), i, w, upstream, arriving),
                          by_error);
      }
      store_count(out + i, formulas.residual_derivative(d, by_error, g), count);
    });
  }

  static constexpr Loops<T> table() {
    return {errors,   collect,       sum_errors,     sum, losses, threshold_gradient,
            gradient, column_losses, column_gradient};
  }
};

template <typename T, size_t... I>
const Loops<T>* tables(std::index_sequence<I...>) {
  static constexpr Loops<T> all[] = {LoopsFor<std::tuple_element_t<I, ErrorKinds>, T>::table()...};
  return all;
}

template <typename T>
const Loops<T>* loops() {
  return tables<T>(std::make_index_sequence<std::tuple_size_v<ErrorKinds>>{});
}

template const Loops<float>* loops<float>();
template const Loops<double>* loops<double>();
template const Loops<Float16>* loops<Float16>();
template const Loops<BFloat16>* loops<BFloat16>();

}  // namespace TAILOPS_TARGET
}  // namespace tailops
