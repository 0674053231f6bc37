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

#include "formulas/gradient_mode.h"
#include "core/host_device.h"
#include "formulas/primitives.h"
#include "formulas/tie.h"

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

// h as sigmoid(2κ(e − t)): one exponential, and h(1 − h) without cancellation. Equal infinities
// are no distance apart, and where κ is 0 an infinite distance is none.
template <typename V, typename U, typename T>
TAILOPS_HOST_DEVICE Indicator<V> tail_indicator(V error, U threshold, T kappa) {
  const T steepness = T(2) * kappa;
  V distance = choose(error == threshold, V{}, error - threshold);
  if (kappa == T(0)) distance = choose(distance == distance, V{}, distance);
  const V z = decaying_exponential(steepness * distance);
  const V h = T(1) / (T(1) + z);
  return {h, steepness * (z * h * h)};
}

// The same at e = t, without the exponential.
template <typename T>
TAILOPS_HOST_DEVICE Indicator<T> indicator_at_threshold(T kappa) {
  return {T(0.5), T(0.5) * kappa};
}

// β·a + (1 − β)·b, and nothing of an infinite number that counts for nothing. A NaN of b always
// counts: it is the group's.
template <typename V, typename T>
TAILOPS_HOST_DEVICE V mixture(T beta, V a, V b) {
  if (beta == T(0)) return b;
  if (beta == T(1)) return choose(b == b, a, b);
  return beta * a + (T(1) - beta) * b;
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
    return mixture(beta, d * d, weighted_error);
  }

  // ∂L/∂t of this element: −(1 − β)·s·e·h′. Zero where a factor is, even if e is infinite.
  template <typename V>
  TAILOPS_HOST_DEVICE V threshold_derivative(V error, Indicator<V> h) const {
    const T factor = -(T(1) - beta) * scale;
    if (factor == T(0)) return V{};
    return choose(h.derivative == V{}, V{}, factor * (error * h.derivative));
  }

  // ℓ − e
  template <typename V>
  TAILOPS_HOST_DEVICE V excess(V error, Indicator<V> h) const {
    return scale == T(0) ? V{} : error * (scale * h.value);
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
    if (beta == T(1)) return choose(by_error == by_error, upstream * (T(2) * d), by_error);
    const V by_residual = by_error * Error::derivative(d, epsilon);
    return beta == T(0) ? by_residual : by_residual + upstream * (beta * (T(2) * d));
  }

  // The gradient that arrives at e, of an element that ties with the threshold.
  template <typename W>
  static TAILOPS_HOST_DEVICE W tied_by_error(const TieOf<W>& tie, W upstream) {
    return upstream * tie.weight + product_or_zero(tie.spike, upstream - tie.expected) +
           tie.through;
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
