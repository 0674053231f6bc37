#pragma once

// The element types of the kernels. float16 and bfloat16 exist in memory only: they are widened to
// float32 on load, and results are rounded to nearest even on store.

#include <cstdint>
#include <cstring>

#include "core/host_device.h"

namespace tailops {

// Visible outside a library, and so are the functions of a library that they are arguments of.
struct __attribute__((visibility("default"))) Float16 {
  uint16_t bits;
};

struct __attribute__((visibility("default"))) BFloat16 {
  uint16_t bits;
};

template <typename T>
struct ComputeTypeOf {
  using type = T;
};
template <>
struct ComputeTypeOf<Float16> {
  using type = float;
};
template <>
struct ComputeTypeOf<BFloat16> {
  using type = float;
};
template <typename T>
using ComputeType = typename ComputeTypeOf<T>::type;

inline namespace TAILOPS_TARGET {
namespace float_bits {

TAILOPS_HOST_DEVICE uint32_t of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

TAILOPS_HOST_DEVICE float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// bits >> shift, rounded to nearest even.
TAILOPS_HOST_DEVICE uint32_t shift_rounded(uint32_t bits, int shift) {
  const uint32_t half = 1u << (shift - 1);
  const uint32_t odd = (bits >> shift) & 1u;
  return (bits + (half - 1u) + odd) >> shift;
}

}  // namespace float_bits

TAILOPS_HOST_DEVICE float widen(float value) { return value; }
TAILOPS_HOST_DEVICE double widen(double value) { return value; }

TAILOPS_HOST_DEVICE float widen(BFloat16 value) {
  return float_bits::as_float(static_cast<uint32_t>(value.bits) << 16);
}

TAILOPS_HOST_DEVICE float widen(Float16 value) {
#if defined(__CUDA_ARCH__)
  float widened;
  asm("cvt.f32.f16 %0, %1;" : "=f"(widened) : "h"(value.bits));
  return widened;
#else
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000u) << 16;
  const uint32_t exponent = (value.bits >> 10) & 0x1fu;
  const uint32_t fraction = value.bits & 0x3ffu;
  if (exponent == 0) {  // zero and subnormal: fraction · 2⁻²⁴, exact in float32
    const float magnitude = static_cast<float>(fraction) * 5.9604644775390625e-8f;
    return float_bits::as_float(sign | float_bits::of(magnitude));
  }
  const uint32_t widened = exponent == 0x1fu ? 0xffu : exponent + (127 - 15);
  return float_bits::as_float(sign | (widened << 23) | (fraction << 13));
#endif
}

template <typename T>
TAILOPS_HOST_DEVICE T narrow(double value) {
  return static_cast<T>(value);
}

template <>
TAILOPS_HOST_DEVICE BFloat16 narrow<BFloat16>(double value) {
  const float single = static_cast<float>(value);
  const uint32_t bits = float_bits::of(single);
  if (single != single) return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<uint16_t>(float_bits::shift_rounded(bits, 16))};
}

template <>
TAILOPS_HOST_DEVICE Float16 narrow<Float16>(double value) {
#if defined(__CUDA_ARCH__)
  Float16 narrowed;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(narrowed.bits) : "f"(static_cast<float>(value)));
  return narrowed;
#else
  const uint32_t bits = float_bits::of(static_cast<float>(value));
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t result;
  if (magnitude > 0x7f800000u) {
    result = 0x7e00u;
  } else if (magnitude >= 0x477ff000u) {  // 65520 and above round to infinity
    result = 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // below 2⁻¹⁴: a multiple of 2⁻²⁴
    // Adding ½ lines the last bit of float32 up with 2⁻²⁴: the hardware rounds.
    result = float_bits::of(float_bits::as_float(magnitude) + 0.5f) - float_bits::of(0.5f);
  } else {
    result = float_bits::shift_rounded(magnitude - ((127u - 15u) << 23), 13);
  }
  return {static_cast<uint16_t>(sign | result)};
#endif
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
