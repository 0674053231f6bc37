#pragma once

// The formulas of the tail losses, each written once: for scalars on host and device, and for the
// vectors of the CPU's instruction sets.
//
//   d = residual(ŷ, y)               prediction − target, or the prediction itself
//   e = error(d)                     one of the error kinds of errors.h
//   ℓ = e(1 + s·h)                   weighted error, of smoothed_weight.h
//   L = β·d² + (1 − β)·ℓ             hybrid; β = 0 is ℓ itself
//
// V is a scalar or a vector of T. Files that include this must be compiled without floating-point
// contraction: the backward pass recognises the elements that tie with the threshold by computing e
// again and comparing for equality.

#include "core/host_device.h"
#include "formulas/errors.h"
#include "formulas/primitives.h"
#include "formulas/smoothed_weight.h"
#include "formulas/tie.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

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
struct TailFormulas : SmoothedWeight<T> {
  using LossParameters<T>::beta;
  using LossParameters<T>::epsilon;

  template <typename V>
  TAILOPS_HOST_DEVICE V residual(V prediction, V target) const {
    return Error::residual(prediction, target);
  }

  template <typename V>
  TAILOPS_HOST_DEVICE V error(V d) const {
    return Error::value(d, epsilon);
  }

  // L from ℓ, element by element.
  template <typename V>
  TAILOPS_HOST_DEVICE V mixed(V d, V weighted_error) const {
    return mixture(beta, d * d, weighted_error);
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

// Those of an error kind; or those that do not depend on one.
template <typename Error = AbsoluteError, typename T>
TAILOPS_HOST_DEVICE TailFormulas<Error, T> formulas_of(const LossParameters<T>& parameters) {
  return {{parameters}};
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
