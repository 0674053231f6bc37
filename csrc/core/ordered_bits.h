#pragma once

// Numbers as unsigned integers of the same order, so that selection can work on digits:
// −inf < … < −0 = +0 < … < +inf < NaN. The keys of numbers of fewer than 32 bits are as short.

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "core/float_types.h"
#include "core/host_device.h"

namespace tailops {

template <typename T>
struct BitsOf;
template <>
struct BitsOf<float> {
  using type = uint32_t;
};
template <>
struct BitsOf<double> {
  using type = uint64_t;
};

template <typename T, typename = void>
struct OrderedBits {
  using Key = typename BitsOf<T>::type;
  static constexpr int kBits = std::numeric_limits<Key>::digits;
  static constexpr Key kSign = Key(1) << (kBits - 1);
  // Above the key of +inf, and the key of every NaN, whatever its sign and payload.
  static constexpr Key kNaN = ~Key(0);

  static TAILOPS_HOST_DEVICE Key encode(T value) {
    if (value != value) return kNaN;
    const T positive_zero = value + T(0);  // −0 ties with +0
    Key bits;
    memcpy(&bits, &positive_zero, sizeof(bits));
    return (bits & kSign) ? ~bits : (bits | kSign);
  }

  // The inverse; kNaN gives a NaN.
  static TAILOPS_HOST_DEVICE T decode(Key key) {
    const Key bits = (key & kSign) ? (key & ~kSign) : ~key;
    T value;
    memcpy(&value, &bits, sizeof(value));
    return value;
  }

  // The key of a number that is known not to be negative, −0 included: faster. The keys of NaNs are
  // those above infinity's, and each is its own.
  static TAILOPS_HOST_DEVICE Key encode_positive(T value) {
    Key bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits | kSign;
  }
};

// The same for 16 bits.
template <typename T, uint32_t kInfinity>
struct OrderedHalf {
  using Key = uint32_t;
  static constexpr int kBits = 16;
  static constexpr Key kSign = 0x8000u;
  static constexpr Key kNaN = 0xffffu;

  static TAILOPS_HOST_DEVICE Key encode(T value) {
    const Key bits = value.bits, magnitude = bits & ~kSign;
    if (magnitude > kInfinity) return kNaN;
    return (bits & kSign) && magnitude != 0 ? bits ^ 0xffffu : bits | kSign;
  }

  static TAILOPS_HOST_DEVICE T decode(Key key) {
    return {static_cast<uint16_t>((key & kSign) ? key ^ kSign : key ^ 0xffffu)};
  }
};

template <>
struct OrderedBits<Float16> : OrderedHalf<Float16, 0x7c00u> {};
template <>
struct OrderedBits<BFloat16> : OrderedHalf<BFloat16, 0x7f80u> {};

// Integers: none of them is a NaN, and every key is one's.
template <typename T>
struct OrderedBits<T, std::enable_if_t<std::is_integral_v<T>>> {
  using Key = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  using Unsigned = std::make_unsigned_t<T>;
  static constexpr int kBits = std::numeric_limits<Unsigned>::digits;
  static constexpr Key kSign = std::is_signed_v<T> ? Key(1) << (kBits - 1) : Key(0);

  static TAILOPS_HOST_DEVICE Key encode(T value) {
    return static_cast<Key>(static_cast<Unsigned>(value)) ^ kSign;
  }
  static TAILOPS_HOST_DEVICE T decode(Key key) {
    return static_cast<T>(static_cast<Unsigned>(key ^ kSign));
  }
};

}  // namespace tailops
