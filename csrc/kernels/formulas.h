#pragma once

// The formulas of the tail losses, each written once: for scalars on host and device, and for the
// vectors of the CPU's instruction sets.
//
//   d = prediction − target          residual
//   e = error(d)                     one of the error kinds below
//   h = ½(1 + tanh(κ(e − t)))        smoothed indicator of "in the tail", t the threshold
//   ℓ = e(1 + s·h)                   weighted error
//   L = β·d² + (1 − β)·ℓ             hybrid; β = 0 is ℓ itself
//
// V is a scalar or a vector of T, and so is U, the type of the threshold. Files that include this
// must be compiled without floating-point contraction: the backward pass recognises the elements
// that tie with the threshold by computing e again and comparing for equality.

#include <tuple>

#include "gradient_mode.h"
#include "host_device.h"
#include "primitives.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

// An error kind is a name, e(d), and ∂e/∂d with sign(0) = 0. Both take ε, which most ignore.
// To add one, write it here and append it to ErrorKinds.

struct AbsoluteError {
  static constexpr const char* kName = "absolute";

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V value(V d, T /*epsilon*/) {
    return absolute(d);
  }

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V derivative(V d, T /*epsilon*/) {
    return choose(d == V{}, V{}, with_sign_of(d, V{} + T(1)));
  }
};

struct SquaredError {
  static constexpr const char* kName = "squared";

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V value(V d, T /*epsilon*/) {
    return d * d;
  }

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V derivative(V d, T /*epsilon*/) {
    return T(2) * d;
  }
};

// √(d² + ε²) − ε, rearranged so that small residuals do not cancel and large ones do not overflow.
struct SmoothAbsoluteError {
  static constexpr const char* kName = "smooth_absolute";

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V value(V d, T epsilon) {
    const V a = absolute(d);
    const auto large = a > V{} + epsilon;
    const V q = choose(large, epsilon / a, a / epsilon);
    const V root = square_root(T(1) + q * q);
    return choose(large, a / (root + q), a * (q / (root + T(1))));
  }

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V derivative(V d, T epsilon) {
    const V a = absolute(d);
    const auto large = a > V{} + epsilon;
    const V q = choose(large, epsilon / a, a / epsilon);
    const V sign = AbsoluteError::derivative(d, epsilon);
    return sign * choose(large, V{} + T(1), q) / square_root(T(1) + q * q);
  }
};

using ErrorKinds = std::tuple<AbsoluteError, SquaredError, SmoothAbsoluteError>;

template <typename V>
struct Indicator {
  V value;       // h
  V derivative;  // h′ = ∂h/∂e = 2κ·h(1 − h)
};

// h as sigmoid(2κ(e − t)): one exponential, and h(1 − h) without cancellation.
template <typename V, typename U, typename T>
TAILOPS_HOST_DEVICE Indicator<V> tail_indicator(V error, U threshold, T kappa) {
  const T steepness = T(2) * kappa;
  const V z = decaying_exponential(steepness * (error - threshold));
  const V h = T(1) / (T(1) + z);
  return {h, steepness * (z * h * h)};
}

// The loss of one element and its derivatives, for an upstream gradient of one.
template <typename Error, typename T>
struct TailFormulas {
  T kappa;
  T scale;
  T beta;
  T epsilon;

  template <typename V>
  TAILOPS_HOST_DEVICE V error(V d) const {
    return Error::value(d, epsilon);
  }

  // ℓ
  template <typename V>
  TAILOPS_HOST_DEVICE V weighted(V error, Indicator<V> h) const {
    return error * (T(1) + scale * h.value);
  }

  // L from ℓ, element by element.
  template <typename V>
  TAILOPS_HOST_DEVICE V mixed(V d, V weighted_error) const {
    // A select, not a product with zero: d² may be infinite.
    return beta == T(0) ? weighted_error : beta * (d * d) + (T(1) - beta) * weighted_error;
  }

  // ∂L/∂t of this element: −(1 − β)·s·e·h′. Zero where h′ is, even if e is infinite.
  template <typename V>
  TAILOPS_HOST_DEVICE V threshold_derivative(V error, Indicator<V> h) const {
    const V spike = (-(T(1) - beta) * scale) * (error * h.derivative);
    return choose(h.derivative == V{}, V{}, spike);
  }

  // ℓ − e
  template <typename V>
  TAILOPS_HOST_DEVICE V excess(V error, Indicator<V> h) const {
    return error * (scale * h.value);
  }

  // Σ ℓ of many elements, from Σ e of all, Σ e of those with h = 1, which may be infinite, and
  // Σ (ℓ − e) of those with an h in between.
  TAILOPS_HOST_DEVICE double weighted_sum(double errors, double above, double excess) const {
    return errors + excess + (scale == T(0) ? 0.0 : static_cast<double>(scale) * above);
  }

  // ∂L/∂e of the weighted part with t held constant, in two parts: with the whole weight held
  // constant too, and the rest.
  template <typename V>
  TAILOPS_HOST_DEVICE V weight(Indicator<V> h) const {
    return (T(1) - beta) * (T(1) + scale * h.value);
  }

  template <typename V>
  TAILOPS_HOST_DEVICE V spike(V error, Indicator<V> h) const {
    return -threshold_derivative(error, h);
  }

  // ∂L/∂d from the gradient that arrives at e and the one that arrives at L.
  template <typename V>
  TAILOPS_HOST_DEVICE V residual_derivative(V d, V by_error, V upstream) const {
    const V by_residual = by_error * Error::derivative(d, epsilon);
    return beta == T(0) ? by_residual : by_residual + upstream * (beta * (T(2) * d));
  }

  // The gradient that arrives at e, of an element that ties with the threshold, through which
  // ∂L/∂t·∂t/∂e arrives as well. That and the spike have the height ½κ·s·e and opposite signs:
  // they cancel, so in float64.
  template <typename W>
  static TAILOPS_HOST_DEVICE W tied_by_error(W direct, W upstream, W through_threshold) {
    return upstream * direct + through_threshold;
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
