#pragma once

// Numbers in parts of int32, for frameworks that add up nothing wider. Adding up the parts of the
// numbers of as many as kMostSummed replicas, each by itself, is exact, in whatever order.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/host_device.h"

namespace tailops {

constexpr int64_t kMostSummed = 32768;

// Of a count whose sum is below 2^47: its 16 lowest bits, and the rest.
struct CountParts {
  int32_t low;
  int32_t high;
};

TAILOPS_HOST_DEVICE CountParts parts_of_count(int64_t count) {
  return {static_cast<int32_t>(count & 0xffff), static_cast<int32_t>(count >> 16)};
}
TAILOPS_HOST_DEVICE int64_t count_of_parts(const CountParts& parts) {
  return (static_cast<int64_t>(parts.high) << 16) + parts.low;
}

// A float64 as a whole number of the smallest one, with 16 bits in each part: all that there are.
// Behind these, how many infinities of either sign there are; of a NaN, both.
struct NumberParts {
  static constexpr int kParts = 132;
  static constexpr int kSmallestExponent = -1074;

  int32_t parts[kParts];
  int32_t infinities;
  int32_t minus_infinities;
};

TAILOPS_HOST_DEVICE NumberParts parts_of_number(double number) {
  constexpr uint64_t kLeading = uint64_t{1} << 52;
  NumberParts of{};
  if (!std::isfinite(number)) {
    of.infinities = !(number < 0.0);
    of.minus_infinities = !(number > 0.0);
    return of;
  }
  uint64_t bits;
  memcpy(&bits, &number, sizeof(bits));
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff);
  const uint64_t fraction = bits & (kLeading - 1);
  const uint64_t whole = exponent == 0 ? fraction : fraction | kLeading;
  const int shift = exponent == 0 ? 0 : exponent - 1;
  const int32_t sign = bits >> 63 ? -1 : 1;
  // Its 53 bits, from bit shift % 16 of the first part on: the last of five is what runs over.
  const uint64_t low = whole << shift % 16;
  const uint64_t over = shift % 16 == 0 ? 0 : whole >> (64 - shift % 16);
  for (int i = 0; i < 4; ++i) {
    of.parts[shift / 16 + i] = sign * static_cast<int32_t>(low >> 16 * i & 0xffff);
  }
  if (over != 0) of.parts[shift / 16 + 4] = sign * static_cast<int32_t>(over);
  return of;
}

// The nearest float64.
TAILOPS_HOST_DEVICE double number_of_parts(const NumberParts& of) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (of.infinities != 0 || of.minus_infinities != 0) {
    if (of.infinities == 0) return -kInfinity;
    return of.minus_infinities == 0 ? kInfinity : std::numeric_limits<double>::quiet_NaN();
  }
  uint16_t digits[NumberParts::kParts];
  const auto carried = [&](int64_t sign) {
    int64_t carry = 0;
    for (int i = 0; i < NumberParts::kParts; ++i) {
      carry += sign * of.parts[i];
      digits[i] = static_cast<uint16_t>(carry & 0xffff);
      carry >>= 16;  // towards −∞
    }
    return carry;
  };
  int64_t beyond = carried(1);
  const bool negative = beyond < 0;
  if (negative) beyond = carried(-1);
  if (beyond > 0) return negative ? -kInfinity : kInfinity;
  int top = NumberParts::kParts - 1;
  while (top > 0 && digits[top] == 0) --top;
  // Five digits have more bits than a float64, whatever the first: of the others, all that counts
  // is whether there is anything.
  const int last = top < 4 ? 0 : top - 4;
  unsigned __int128 leading = 0;
  for (int i = top; i >= last; --i) leading = leading << 16 | digits[i];
  bool more = false;
  for (int i = 0; i < last; ++i) more |= digits[i] != 0;
  const double magnitude = std::ldexp(static_cast<double>(leading | (more ? 1 : 0)),
                                      NumberParts::kSmallestExponent + 16 * last);
  return negative ? -magnitude : magnitude;
}

}  // namespace tailops
