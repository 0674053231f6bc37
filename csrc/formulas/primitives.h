#pragma once

// What the formulas are made of, for scalars. cpu/simd/vector.h and exponential.h have the same for
// vectors.

#include <cmath>

#include "core/host_device.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

TAILOPS_HOST_DEVICE float choose(bool condition, float yes, float no) {
  return condition ? yes : no;
}
TAILOPS_HOST_DEVICE double choose(bool condition, double yes, double no) {
  return condition ? yes : no;
}

TAILOPS_HOST_DEVICE float absolute(float x) { return std::fabs(x); }
TAILOPS_HOST_DEVICE double absolute(double x) { return std::fabs(x); }

TAILOPS_HOST_DEVICE float square_root(float x) { return std::sqrt(x); }
TAILOPS_HOST_DEVICE double square_root(double x) { return std::sqrt(x); }

// 0 where a factor is, even if the other is infinite.
TAILOPS_HOST_DEVICE double product_or_zero(double a, double b) {
  return a == 0.0 || b == 0.0 ? 0.0 : a * b;
}

// magnitude ≥ 0 with the sign of x.
TAILOPS_HOST_DEVICE float with_sign_of(float x, float magnitude) {
  return std::copysign(magnitude, x);
}
TAILOPS_HOST_DEVICE double with_sign_of(double x, double magnitude) {
  return std::copysign(magnitude, x);
}

// exp(−x), and for very negative x a number so large that a sigmoid of it is 0 but for rounding,
// yet finite, so that products with it are numbers.
TAILOPS_HOST_DEVICE float decaying_exponential(float x) {
  return std::exp(-(x < -87.0f ? -87.0f : x));
}
TAILOPS_HOST_DEVICE double decaying_exponential(double x) {
  return std::exp(-(x < -708.0 ? -708.0 : x));
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
