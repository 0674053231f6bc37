#pragma once

// The error kinds: how large a residual is, or a value itself. For scalars on host and device, and
// for the vectors of the CPU's instruction sets.

#include <tuple>
#include <utility>

#include "core/host_device.h"
#include "formulas/primitives.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

// An error kind is a name, e(d), and ∂e/∂d with sign(0) = 0. Both take ε, which most ignore. What d
// is, and whether e may be negative, is said by one of the two bases.
// To add one, write it here and append it to ErrorKinds.

// d = ŷ − y. e ≥ 0, and 0 at d = 0.
struct OfResidual {
  static constexpr bool kReadsTarget = true;
  static constexpr bool kMayBeNegative = false;

  template <typename V>
  static TAILOPS_HOST_DEVICE V residual(V prediction, V target) {
    return prediction - target;
  }
};

// d = ŷ, and no target is read. e is any number.
struct OfPrediction {
  static constexpr bool kReadsTarget = false;
  static constexpr bool kMayBeNegative = true;

  template <typename V>
  static TAILOPS_HOST_DEVICE V residual(V prediction, V /*target*/) {
    return prediction;
  }
};

struct AbsoluteError : OfResidual {
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

struct SquaredError : OfResidual {
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
struct SmoothAbsoluteError : OfResidual {
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

// What is not an error at all: another loss's value.
struct Value : OfPrediction {
  static constexpr const char* kName = "value";

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V value(V d, T /*epsilon*/) {
    return d;
  }

  template <typename V, typename T>
  static TAILOPS_HOST_DEVICE V derivative(V /*d*/, T /*epsilon*/) {
    return V{} + T(1);
  }
};

using ErrorKinds = std::tuple<AbsoluteError, SquaredError, SmoothAbsoluteError, Value>;
using KindNumbers = std::make_index_sequence<std::tuple_size_v<ErrorKinds>>;

// The same of the kind of this number, for what is compiled once for all.
template <size_t... I>
constexpr bool reads_target(int kind, std::index_sequence<I...>) {
  return ((kind == static_cast<int>(I) && std::tuple_element_t<I, ErrorKinds>::kReadsTarget) ||
          ...);
}
template <size_t... I>
constexpr bool may_be_negative(int kind, std::index_sequence<I...>) {
  return ((kind == static_cast<int>(I) && std::tuple_element_t<I, ErrorKinds>::kMayBeNegative) ||
          ...);
}
constexpr bool reads_target(int kind) { return reads_target(kind, KindNumbers()); }
constexpr bool may_be_negative(int kind) { return may_be_negative(kind, KindNumbers()); }

}  // namespace TAILOPS_TARGET
}  // namespace tailops
