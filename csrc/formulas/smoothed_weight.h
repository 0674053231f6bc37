#pragma once

// How much an element counts, given its error e and the threshold t:
//
//   h = ½(1 + tanh(κ(e − t)))        smoothed indicator of "in the tail"
//   ℓ = e(1 + s·h)                   weighted error
//
// and the derivatives. A functional of the tail is such a struct, and what its sums are divided by:
// here the number of elements (call/means.h). V is a scalar or a vector of T, and so are U and S,
// the types of the threshold and of the steepness, 2κ.

#include <limits>

#include "core/host_device.h"
#include "formulas/parameters.h"
#include "formulas/primitives.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename V>
struct Indicator {
  V value;       // h
  V derivative;  // h′ = ∂h/∂e = 2κ·h(1 − h)
};

template <typename T>
struct SmoothedWeight : LossParameters<T> {
  using LossParameters<T>::beta;
  using LossParameters<T>::error_scale;
  using LossParameters<T>::smoothing_factor;
  using LossParameters<T>::weight_in_tail;

  // h as sigmoid(2κ(e − t)): one exponential, and h(1 − h) without cancellation. Equal infinities
  // are no distance apart, and where κ is 0 an infinite distance is none.
  template <typename V, typename U, typename S>
  TAILOPS_HOST_DEVICE Indicator<V> indicator(V error, U threshold, S steepness) const {
    V distance = error - threshold;
    if (smoothing_factor == T(0)) distance = choose(distance == distance, V{}, distance);
    const V z = decaying_exponential(choose(error == threshold, V{}, steepness * distance));
    const V h = T(1) / (T(1) + z);
    return {h, slope_of(steepness) * (z * h * h)};
  }

  // The same at e = t, without the exponential.
  TAILOPS_HOST_DEVICE Indicator<T> indicator_at_threshold(T steepness) const {
    return {T(0.5), T(0.25) * slope_of(steepness)};
  }

  // What h′ has of the steepness: of an infinite one, nothing.
  template <typename S>
  static TAILOPS_HOST_DEVICE S slope_of(S steepness) {
    return choose(steepness == std::numeric_limits<T>::infinity(), S{}, steepness);
  }

  // ℓ
  template <typename V>
  TAILOPS_HOST_DEVICE V weighted(V error, Indicator<V> h) const {
    return error * (T(1) + error_scale * h.value);
  }

  // The same where h is 0 or 1.
  template <typename V, typename M>
  TAILOPS_HOST_DEVICE V far_weighted(V error, M above) const {
    return error * choose(above, V{} + weight_in_tail(), V{} + T(1));
  }

  // ℓ − e
  template <typename V>
  TAILOPS_HOST_DEVICE V excess(V error, Indicator<V> h) const {
    return error_scale == T(0) ? V{} : error * (error_scale * h.value);
  }

  // Σ ℓ of many elements, from Σ e of all, Σ e of those with h = 1, which may be infinite, and
  // Σ (ℓ − e) of those with an h in between.
  TAILOPS_HOST_DEVICE double weighted_sum(double errors, double above, double excess) const {
    return errors + excess + (error_scale == T(0) ? 0.0 : static_cast<double>(error_scale) * above);
  }

  // ∂L/∂t of this element: −(1 − β)·s·e·h′. Zero where a factor is, even if e is infinite.
  template <typename V>
  TAILOPS_HOST_DEVICE V threshold_derivative(V error, Indicator<V> h) const {
    const T factor = -(T(1) - beta) * error_scale;
    if (factor == T(0)) return V{};
    return choose(h.derivative == V{}, V{}, factor * (error * h.derivative));
  }

  // ∂L/∂e of the weighted part with t held constant, in two parts: with the whole weight held
  // constant too, and the rest.
  template <typename V>
  TAILOPS_HOST_DEVICE V weight(Indicator<V> h) const {
    return (T(1) - beta) * (T(1) + error_scale * h.value);
  }

  template <typename V>
  TAILOPS_HOST_DEVICE V spike(V error, Indicator<V> h) const {
    return -threshold_derivative(error, h);
  }

  // What arrives at the error of an element whose h is 0 or 1, of what arrives at L. Often that is
  // the same for all: then a loop has both products before it begins.
  template <typename V, typename M>
  TAILOPS_HOST_DEVICE V far_by_error(V upstream, M above) const {
    const T below = T(1) - beta;
    return choose(above, upstream * (below * weight_in_tail()), upstream * below);
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
