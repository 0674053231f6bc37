#pragma once

// The error kinds: how large a residual is. For scalars on host and device, and for the vectors of
// the CPU's instruction sets.

#include <tuple>

#include "core/host_device.h"
#include "formulas/primitives.h"

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

}  // namespace TAILOPS_TARGET
}  // namespace tailops
