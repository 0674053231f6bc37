#pragma once

// The formulas of the tail losses, each written once, for host and device.
//
//   d = prediction − target          residual
//   e = error(d)                     one of the error kinds below
//   h = ½(1 + tanh(κ(e − t)))        smoothed indicator of "in the tail", t the threshold
//   ℓ = e(1 + s·h)                   weighted error
//   L = β·d² + (1 − β)·ℓ             hybrid; β = 0 is ℓ itself
//
// Files that include this must be compiled without floating-point contraction: the backward pass
// recognises the elements that tie with the threshold by computing e again and comparing for
// equality.

#include <cmath>
#include <tuple>

#include "host_device.h"

namespace tailops {

// An error kind is a name, e(d), and ∂e/∂d with sign(0) = 0. Both take ε, which most ignore.
// To add one, write it here and append it to ErrorKinds.

struct AbsoluteError {
  static constexpr const char* kName = "absolute";

  template <typename T>
  static TAILOPS_HOST_DEVICE T value(T d, T /*epsilon*/) {
    return std::fabs(d);
  }

  template <typename T>
  static TAILOPS_HOST_DEVICE T derivative(T d, T /*epsilon*/) {
    if (d > T(0)) return T(1);
    if (d < T(0)) return T(-1);
    return d * T(0) + T(0);  // +0, and NaN for NaN
  }
};

struct SquaredError {
  static constexpr const char* kName = "squared";

  template <typename T>
  static TAILOPS_HOST_DEVICE T value(T d, T /*epsilon*/) {
    return d * d;
  }

  template <typename T>
  static TAILOPS_HOST_DEVICE T derivative(T d, T /*epsilon*/) {
    return T(2) * d;
  }
};

// √(d² + ε²) − ε, rearranged so that small residuals do not cancel and large ones do not overflow.
struct SmoothAbsoluteError {
  static constexpr const char* kName = "smooth_absolute";

  template <typename T>
  static TAILOPS_HOST_DEVICE T value(T d, T epsilon) {
    const T a = std::fabs(d);
    if (a > epsilon) {
      const T q = epsilon / a;
      return a / (std::sqrt(T(1) + q * q) + q);
    }
    const T q = a / epsilon;
    return a * (q / (std::sqrt(T(1) + q * q) + T(1)));
  }

  template <typename T>
  static TAILOPS_HOST_DEVICE T derivative(T d, T epsilon) {
    const T a = std::fabs(d);
    if (a > epsilon) {
      const T q = epsilon / a;
      return std::copysign(T(1), d) / std::sqrt(T(1) + q * q);
    }
    const T q = d / epsilon;
    return q / std::sqrt(T(1) + q * q);
  }
};

using ErrorKinds = std::tuple<AbsoluteError, SquaredError, SmoothAbsoluteError>;

template <typename T>
struct Indicator {
  T value;       // h
  T derivative;  // h′ = ∂h/∂e = 2κ·h(1 − h)
};

// h as sigmoid(2κ(e − t)): one exponential, and h(1 − h) without cancellation.
template <typename T>
TAILOPS_HOST_DEVICE Indicator<T> tail_indicator(T error, T threshold, T kappa) {
  const T x = T(2) * (kappa * (error - threshold));
  const T z = std::exp(-std::fabs(x));
  const T r = T(1) / (T(1) + z);
  return {x < T(0) ? z * r : r, z * r * r * T(2) * kappa};
}

enum class GradientMode {
  kExact,           // everything differentiated, the threshold included
  kFixedThreshold,  // t held constant
  kFixedWeight,     // the whole weight 1 + s·h held constant
};

constexpr const char* kGradientModeNames[] = {"exact", "fixed_threshold", "fixed_weight"};

// The loss of one element and its derivatives, for an upstream gradient of one.
template <typename Error, typename T>
struct TailFormulas {
  T kappa;
  T scale;
  T beta;
  T epsilon;

  TAILOPS_HOST_DEVICE T error(T d) const { return Error::value(d, epsilon); }

  TAILOPS_HOST_DEVICE T loss(T d, T error, T threshold) const {
    const T h = tail_indicator(error, threshold, kappa).value;
    const T weighted = error * (T(1) + scale * h);
    // A select, not a product with zero: d² may be infinite.
    return beta == T(0) ? weighted : beta * (d * d) + (T(1) - beta) * weighted;
  }

  // ∂L/∂t of this element: −(1 − β)·s·e·h′. Zero where h′ is, even if e is infinite.
  TAILOPS_HOST_DEVICE T threshold_derivative(T error, Indicator<T> h) const {
    if (h.derivative == T(0)) return T(0);
    return -(T(1) - beta) * (scale * (error * h.derivative));
  }

  // ∂L/∂d of this element with t held constant, and with the whole weight where the mode says so.
  TAILOPS_HOST_DEVICE T residual_derivative(T d, T error, T threshold, T upstream,
                                            GradientMode mode) const {
    const Indicator<T> h = tail_indicator(error, threshold, kappa);
    T by_error = (T(1) - beta) * (T(1) + scale * h.value);
    if (mode != GradientMode::kFixedWeight) by_error -= threshold_derivative(error, h);
    return combine(d, upstream * by_error, upstream);
  }

  // The same for an element that ties with the threshold: through_threshold = ∂L/∂t·∂t/∂e.
  // Both parts have a spike of height ½κ·s·e, of opposite sign: they cancel, so in float64.
  TAILOPS_HOST_DEVICE T tied_residual_derivative(T d, T error, T threshold, double upstream,
                                                 double through_threshold) const {
    const Indicator<T> h = tail_indicator(error, threshold, kappa);
    const double weight = static_cast<double>((T(1) - beta) * (T(1) + scale * h.value));
    const double spike = -static_cast<double>(threshold_derivative(error, h));
    const double by_error = upstream * (weight + spike) + through_threshold;
    return combine(d, static_cast<T>(by_error), static_cast<T>(upstream));
  }

 private:
  TAILOPS_HOST_DEVICE T combine(T d, T by_error, T upstream) const {
    const T by_residual = by_error * Error::derivative(d, epsilon);
    return beta == T(0) ? by_residual : by_residual + upstream * (beta * (T(2) * d));
  }
};

}  // namespace tailops
