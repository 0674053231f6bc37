#pragma once

// float16 and bfloat16 become float32 and are made of it: core/float_types.h, cpu/pass/widen.h, and
// the vectors of cpu/simd/memory.h.

#include <cstdint>

#include "cpu/pass/widen.h"
#include "cpu/simd/lanes.h"
#include "formats.h"
#include "sweep.h"

namespace tailops {

// The 2^16 patterns of the type.
template <typename T>
void check_widening(uint32_t first) {
  using Format = FormatOf<T>;
  constexpr uint32_t n = Format::kBlock;
  T halves[n];
  uint32_t expected[n];
  for (uint32_t i = 0; i < n; ++i) {
    halves[i].bits = static_cast<uint16_t>(first + i);
    expected[i] = one_nan(bits_as<uint32_t>(static_cast<float>(Format::value(first + i))));
  }
  float found[n];
  const auto check = [&](const char* map) {
    uint32_t bits[n];
    memcpy(bits, found, sizeof(bits));
    plant(map, first, bits, n);
    expect(map, first, n, [&](uint32_t i) { return one_nan(bits[i]) == expected[i]; });
  };
  for (uint32_t i = 0; i < n; ++i) found[i] = widen(halves[i]);
  check(Format::kWiden);
  for (uint32_t i = 0; i < n; i += kLanes<float>) store(found + i, load(halves + i));
  check(Format::kLoad);
  const volatile int64_t length = n;  // as unknown to the compiler as in the kernels
  widened(halves, length, found);
  check(Format::kWidened);

  uint16_t back[n];
  for (uint32_t i = 0; i < n; ++i) back[i] = narrow<T>(static_cast<double>(widen(halves[i]))).bits;
  expect(Format::kNarrow, first, n, [&](uint32_t i) {
    return one_nan(back[i], Format::kInfinity) == one_nan(halves[i].bits, Format::kInfinity);
  });
}

// float32's patterns.
template <typename T>
void check_narrowing(uint32_t first) {
  using Format = FormatOf<T>;
  constexpr uint32_t n = FormatOf<float>::kBlock;
  uint16_t expected[n], found[n];
  rounding<T>.expected(first, n, expected);
  float values[n];
  T halves[n];
  for (uint32_t i = 0; i < n; ++i) values[i] = bits_as<float>(first + i);
  const auto check = [&](const char* map) {
    memcpy(found, halves, sizeof(found));
    plant(map, first, found, n);
    expect(map, first, n,
           [&](uint32_t i) { return one_nan(found[i], Format::kInfinity) == expected[i]; });
  };
  for (uint32_t i = 0; i < n; ++i) halves[i] = narrow<T>(static_cast<double>(values[i]));
  check(Format::kNarrow);
  for (uint32_t i = 0; i < n; i += kLanes<float>) store(halves + i, load(values + i));
  check(Format::kStore);
}

}  // namespace tailops
