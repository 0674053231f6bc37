#pragma once

// exp(−x) as 2ⁿ·exp(−r) with |r| ≤ ½ln 2. From kLargest on it is 0: a normal number there, times an
// error of 1e36, would be a gradient. Below −kLargest it stays what it is there; NaN stays NaN.

#include <cstdint>
#include <cstring>

#include "cpu/simd/vector.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename C>
struct ExponentialConstants;

// exp(−r) ≈ Σ kSeries[k]·rᵏ, the least relative error of its degree with kSeries[0] = 1: 2.6e-9.
template <>
struct ExponentialConstants<float> {
  static constexpr float kLargest = 87.0f;
  static constexpr float kLog2E = 1.44269504f;
  static constexpr float kLn2 = 0.69314718f;
  static constexpr float kRound = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer
  static constexpr float kOne = 1.0f;
  static constexpr int kFractionBits = 23;
  static constexpr float kSeries[] = {
      1.0f,           -1.0000000497f,  0.50000004347f, -0.16666365315f,
      0.04166477650f, -0.00837902073f, 0.00140612773f};
};

// The same; 1.8e-17.
template <>
struct ExponentialConstants<double> {
  static constexpr double kLargest = 708.0;
  static constexpr double kLog2E = 1.4426950408889634;
  static constexpr double kLn2 = 0.69314718055994531;
  static constexpr double kRound = 6755399441055744.0;  // 1.5 · 2⁵²
  static constexpr double kOne = 1.0;
  static constexpr int kFractionBits = 52;
  static constexpr double kSeries[] = {1.0,
                                       -1.0000000000000005594,
                                       0.50000000000000055781,
                                       -0.16666666666657294875,
                                       0.041666666666573561444,
                                       -0.0083333333377180959584,
                                       0.0013888888932366859845,
                                       -0.00019841261488039253452,
                                       0.000024801504477923071055,
                                       -2.7564256324346080008e-6,
                                       2.7626310354315887829e-7,
                                       -2.2981315003611426115e-8};
};

// Σ coefficients[k]·xᵏ over kCount of them. Halves side by side: one after the other, as Horner has
// them, the processor waits for each.
template <int kCount, typename C>
inline Vector<C> polynomial(const C* coefficients, const Vector<C>* powers) {
  if constexpr (kCount == 1) {
    return broadcast(coefficients[0]);
  } else {
    constexpr int kLevel = kCount > 8 ? 3 : kCount > 4 ? 2 : kCount > 2 ? 1 : 0;
    constexpr int kHalf = 1 << kLevel;
    return multiply_add(polynomial<kCount - kHalf, C>(coefficients + kHalf, powers), powers[kLevel],
                        polynomial<kHalf, C>(coefficients, powers));
  }
}

template <typename C>
inline Vector<C> vector_decaying_exponential(Vector<C> x) {
  using Constants = ExponentialConstants<C>;
  using V = Vector<C>;
  const V bounded = smaller_of(broadcast(Constants::kLargest), x);
  const V clamped = larger_of(broadcast(-Constants::kLargest), bounded);
  const V shifted =
      multiply_add(clamped, broadcast(-Constants::kLog2E), broadcast(Constants::kRound));
  const V r = multiply_add(shifted - Constants::kRound, broadcast(Constants::kLn2), clamped);
  constexpr int kCount = static_cast<int>(sizeof(Constants::kSeries) / sizeof(C));
  const V r2 = r * r, r4 = r2 * r2;
  const V powers[] = {r, r2, r4, r4 * r4};
  const V series = polynomial<kCount, C>(Constants::kSeries, powers);
  // The integer stands in the low bits of `shifted`; in the exponent of 1 it makes a power of two.
  const Mask<C> power = (reinterpret<Mask<C>>(shifted) << Constants::kFractionBits) +
                        reinterpret<Mask<C>>(broadcast(Constants::kOne));
  return choose(x >= broadcast(Constants::kLargest), V{}, series * reinterpret<V>(power));
}

inline FloatVector decaying_exponential(FloatVector x) {
  return vector_decaying_exponential<float>(x);
}
inline DoubleVector decaying_exponential(DoubleVector x) {
  return vector_decaying_exponential<double>(x);
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
