#pragma once

// What a pattern stands for, and which float32 numbers are rounded to it: by the formats'
// definition, in float64, with nothing of what is checked.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/float_types.h"

namespace tailops {

template <typename To, typename From>
To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

template <int kFraction, int kExponentBias>
struct HalfFormat {
  static constexpr uint32_t kSign = 0x8000;
  static constexpr uint32_t kInfinity = (2 * kExponentBias + 1) << kFraction;
  // No block has numbers and NaNs: infinity's pattern is a multiple.
  static constexpr uint32_t kBlock = 1 << kFraction;

  // Infinity's is the number after the largest, if there were one.
  static double magnitude(uint32_t pattern) {
    const int bits = static_cast<int>(pattern & 0x7fff), one = 1 << kFraction;
    const int exponent = bits / one, fraction = bits % one;
    const int significand = exponent == 0 ? fraction : one + fraction;
    return std::ldexp(significand, std::max(exponent, 1) - kExponentBias - kFraction);
  }
  static double value(uint32_t pattern) {
    const uint32_t bits = pattern & 0x7fff;
    const double size = bits > kInfinity ? NAN : bits == kInfinity ? INFINITY : magnitude(pattern);
    return pattern & kSign ? -size : size;
  }
};

template <typename T>
struct FormatOf;
template <>
struct FormatOf<Float16> : HalfFormat<10, 15> {
  static constexpr const char* kKey = "float16.key";
  static constexpr const char* kNumber = "float16.number";
  static constexpr const char* kWiden = "float16.widen";
  static constexpr const char* kWidened = "float16.widened";
  static constexpr const char* kLoad = "float16.load";
  static constexpr const char* kNarrow = "float16.narrow";
  static constexpr const char* kStore = "float16.store";
};
template <>
struct FormatOf<BFloat16> : HalfFormat<7, 127> {
  static constexpr const char* kKey = "bfloat16.key";
  static constexpr const char* kNumber = "bfloat16.number";
  static constexpr const char* kWiden = "bfloat16.widen";
  static constexpr const char* kWidened = "bfloat16.widened";
  static constexpr const char* kLoad = "bfloat16.load";
  static constexpr const char* kNarrow = "bfloat16.narrow";
  static constexpr const char* kStore = "bfloat16.store";
};
template <>
struct FormatOf<float> {
  static constexpr uint32_t kSign = 0x80000000, kInfinity = 0x7f800000, kBlock = 4096;
  static constexpr const char* kKey = "float32.key";
  static constexpr const char* kNumber = "float32.number";

  static float value(uint32_t pattern) { return bits_as<float>(pattern); }
};

// NaNs are one: what is promised of them is that they are.
inline uint16_t one_nan(uint16_t bits, uint32_t infinity) {
  return (bits & 0x7fffu) > infinity ? uint16_t{0xffff} : bits;
}
inline uint32_t one_nan(uint32_t bits) {
  return (bits & 0x7fffffffu) > 0x7f800000u ? 0xffffffffu : bits;
}

// The positive float32 numbers between two midpoints are rounded to what is between them; a
// midpoint, to the even neighbour.
template <typename T>
class Rounding {
 public:
  Rounding() {
    using Format = FormatOf<T>;
    begins_.push_back(0);
    for (uint32_t half = 1; half <= Format::kInfinity; ++half) {
      const double middle = (Format::magnitude(half - 1) + Format::magnitude(half)) / 2;
      const auto single = static_cast<float>(middle);
      if (static_cast<double>(single) != middle) std::abort();
      begins_.push_back(bits_as<uint32_t>(single) + half % 2);
    }
  }

  // What the `n` float32 patterns from `first` are rounded to; 0xffff for NaN.
  void expected(uint32_t first, uint32_t n, uint16_t* to) const {
    constexpr uint32_t kInfinity = FormatOf<float>::kInfinity;
    const auto sign = static_cast<uint16_t>(first >> 31 << 15);
    uint32_t at = first & 0x7fffffffu;
    const uint32_t end = at + n;
    auto next = std::upper_bound(begins_.begin(), begins_.end(), at);
    for (; at < end && at <= kInfinity; ++next) {
      const uint32_t run_end =
          std::min(end, next == begins_.end() ? kInfinity + 1 : std::min(*next, kInfinity + 1));
      const auto half = static_cast<uint16_t>(next - begins_.begin() - 1);
      for (; at < run_end; ++at) *to++ = half | sign;
    }
    for (; at < end; ++at) *to++ = 0xffff;
  }

 private:
  std::vector<uint32_t> begins_;
};
// Made before any thread flushes what is subnormal.
template <typename T>
inline const Rounding<T> rounding;

}  // namespace tailops
