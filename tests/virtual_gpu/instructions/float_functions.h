#pragma once

// What PTX's functions of floating-point numbers are, once for all widths.

#include <bit>
#include <cmath>
#include <cstdint>

namespace virtual_gpu {

// A number wins against NaN, and −0 is below +0.
template <typename T>
T smaller(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? b : a;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

template <typename T>
T larger(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? b : a;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

// .NaN: any NaN wins.
template <typename T>
T smaller_or_nan(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? static_cast<T>(NAN) : smaller(a, b);
}

template <typename T>
T larger_or_nan(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? static_cast<T>(NAN) : larger(a, b);
}

// .ftz: what is subnormal is 0, of the same sign.
inline float flushed(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

// .sat: into [0, 1], and NaN is 0.
template <typename T>
T saturated(T x) {
  return std::isnan(x) || x <= 0 ? T{0} : x > 1 ? T{1} : x;
}

}  // namespace virtual_gpu
