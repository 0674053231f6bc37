#pragma once

// float16 and bfloat16 as numbers that the host computes with.

#include <bit>
#include <cmath>
#include <cstdint>

namespace virtual_gpu {

struct Half {
  static double widen(uint16_t bits) { return static_cast<double>(std::bit_cast<_Float16>(bits)); }
  // Rounded once, as the conversion from float64 is the hardware's or the compiler's own.
  static uint16_t narrow(double x) {
    return std::isnan(x) ? 0x7fff : std::bit_cast<uint16_t>(static_cast<_Float16>(x));
  }
};

struct BFloat {
  static double widen(uint16_t bits) {
    return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits) << 16));
  }
  static uint16_t narrow(double x) {
    if (std::isnan(x)) return 0x7fff;
    // To odd first: what is cut off then decides the rounding to nearest as x itself would.
    float nearest = static_cast<float>(x);
    auto bits = std::bit_cast<uint32_t>(nearest);
    const double back = static_cast<double>(nearest);
    if (back != x && !std::isinf(nearest)) {
      if (std::fabs(back) > std::fabs(x)) --bits;
      bits |= 1;
    }
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
};

}  // namespace virtual_gpu
