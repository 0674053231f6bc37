#pragma once

// The maps of numbers to ordered keys and back: core/ordered_bits.h, and what order.h makes of
// them.

#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/ordered_bits.h"
#include "cpu/simd/order.h"
#include "formats.h"
#include "sweep.h"

namespace tailops {

template <typename T>
T of_pattern(uint32_t pattern) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(pattern);
  } else if constexpr (sizeof(T) == 2) {
    return {static_cast<uint16_t>(pattern)};
  } else {
    return bits_as<T>(pattern);
  }
}

inline uint32_t pattern_of(float value) { return bits_as<uint32_t>(value); }
inline uint32_t pattern_of(Float16 value) { return value.bits; }
inline uint32_t pattern_of(BFloat16 value) { return value.bits; }

template <typename T>
void keys_of(const char* map, uint32_t first, uint32_t n, uint32_t* keys) {
  for (uint32_t i = 0; i < n; ++i) keys[i] = OrderedBits<T>::encode(of_pattern<T>(first + i));
  plant(map, first, keys, n);
}

// A number's key is one more than that of the number before it; but −0 has +0's, and so no number
// has the one below.
template <typename T>
void check_keys_of_numbers(uint32_t first) {
  using Format = FormatOf<T>;
  using Bits = OrderedBits<T>;
  constexpr uint32_t n = Format::kBlock;
  uint32_t keys[n + 1], numbers[n];
  decltype(Format::value(0)) values[n + 1];
  for (uint32_t i = 0; i <= n; ++i) values[i] = Format::value(first + i);
  keys_of<T>(Format::kKey, first, n + 1, keys);
  for (uint32_t i = 0; i < n; ++i) numbers[i] = pattern_of(Bits::decode(keys[i]));

  const bool negative = first & Format::kSign;
  if (first == Format::kSign) {
    const uint32_t zero = Bits::encode(of_pattern<T>(0));
    expect(Format::kKey, first, 1, [&](uint32_t) { return keys[0] == zero && numbers[0] == 0; });
    --keys[0];
    numbers[0] = first;
  }
  expect(Format::kKey, first, n, [&](uint32_t i) {
    return (numbers[i] == first + i) & (keys[i] < Bits::kNaN) &
           (negative ? (keys[i + 1] + 1 == keys[i]) & (values[i + 1] < values[i])
                     : (keys[i + 1] == keys[i] + 1) & (values[i + 1] > values[i]));
  });

  if constexpr (std::is_same_v<T, float>) {
    // Nothing is between neighbours: a search by halving ends. Of some: it takes the longest.
    constexpr uint32_t kSome = n / 16;
    uint32_t lower[kSome];
    for (uint32_t i = 0; i < kSome; ++i) {
      const float low = values[i + negative], high = values[i + !negative];
      lower[i] = pattern_of(OrderLoops<float>::middle(low, high));
    }
    plant("float32.middle", first, lower, kSome);
    expect("float32.middle", first, kSome,
           [&](uint32_t i) { return lower[i] == first + i + negative; });

    // −0 counts as positive.
    if (negative && first != Format::kSign) return;
    const uint32_t count = negative ? 1 : n;
    uint32_t positive[n];
    for (uint32_t i = 0; i < count; ++i) positive[i] = Bits::encode_positive(values[i]);
    plant("float32.positive_key", first, positive, count);
    expect("float32.positive_key", first, count,
           [&](uint32_t i) { return positive[i] == keys[i] + negative; });
  }
}

// Infinity at the start of the first of such blocks, and NaNs: their key is one, above all others.
template <typename T>
void check_keys_of_the_rest(uint32_t first) {
  using Format = FormatOf<T>;
  using Bits = OrderedBits<T>;
  constexpr uint32_t n = Format::kBlock;
  uint32_t keys[n];
  keys_of<T>(Format::kKey, first, n, keys);
  const bool has_infinity = (first & ~Format::kSign) == Format::kInfinity;
  expect(Format::kKey, first, n, [&](uint32_t i) {
    if (i > 0 || !has_infinity) return keys[i] == Bits::kNaN;
    return keys[0] < Bits::kNaN && pattern_of(Bits::decode(keys[0])) == first;
  });

  if constexpr (std::is_same_v<T, float>) {
    uint32_t positive[n];
    for (uint32_t i = 0; i < n; ++i) positive[i] = Bits::encode_positive(of_pattern<T>(first + i));
    plant("float32.positive_key", first, positive, n);
    const uint32_t infinity = Bits::encode(std::numeric_limits<float>::infinity());
    expect("float32.positive_key", first, n, [&](uint32_t i) {
      if (i == 0 && has_infinity) return first != Format::kInfinity || positive[0] == infinity;
      const uint32_t payload = (first + i) & ~Format::kSign;
      return positive[i] > infinity && pattern_of(Bits::decode(positive[i])) == payload;
    });
  }
}

// Every key of a number is that of the number it gives. What is no number's gives no other.
template <typename T>
void check_numbers(uint32_t first) {
  using Format = FormatOf<T>;
  using Bits = OrderedBits<T>;
  constexpr uint32_t n = Format::kBlock;
  uint32_t numbers[n], keys[n];
  for (uint32_t i = 0; i < n; ++i) numbers[i] = pattern_of(Bits::decode(first + i));
  plant(Format::kNumber, first, numbers, n);
  for (uint32_t i = 0; i < n; ++i) keys[i] = Bits::encode(of_pattern<T>(numbers[i]));
  const uint32_t least = Bits::encode(of_pattern<T>(Format::kSign | Format::kInfinity));
  const uint32_t most = Bits::encode(of_pattern<T>(Format::kInfinity));
  const uint32_t below_zero = Bits::encode(of_pattern<T>(0)) - 1;
  expect(Format::kNumber, first, n, [&](uint32_t i) {
    const uint32_t key = first + i;
    const bool numbers_key = (key >= least) & (key <= most);
    return keys[i] == (numbers_key ? key + (key == below_zero) : Bits::kNaN);
  });
}

template <typename T>
void check_keys(uint32_t first) {
  if ((first & ~FormatOf<T>::kSign) < FormatOf<T>::kInfinity) {
    check_keys_of_numbers<T>(first);
  } else {
    check_keys_of_the_rest<T>(first);
  }
  check_numbers<T>(first);
}

// Integers, from the least: the keys are 0, 1, 2, … to the last there is.
constexpr uint32_t kIntegers = 256;

template <typename T>
void check_integer_keys(const char* map, uint32_t first) {
  using Bits = OrderedBits<T>;
  constexpr auto kLeast = static_cast<uint32_t>(std::numeric_limits<T>::min());
  uint32_t keys[kIntegers], values[kIntegers];
  for (uint32_t i = 0; i < kIntegers; ++i) {
    keys[i] = Bits::encode(static_cast<T>(kLeast + first + i));
  }
  plant(map, first, keys, kIntegers);
  for (uint32_t i = 0; i < kIntegers; ++i) values[i] = static_cast<uint32_t>(Bits::decode(keys[i]));
  expect(map, first, kIntegers, [&](uint32_t i) {
    const auto value = static_cast<uint32_t>(static_cast<T>(kLeast + first + i));
    return (keys[i] == first + i) & (values[i] == value);
  });
}

}  // namespace tailops
