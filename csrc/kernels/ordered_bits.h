#pragma once

// Floating-point numbers as unsigned integers of the same order, so that selection can work on
// digits: −inf < … < −0 = +0 < … < +inf < NaN.

#include <cstdint>
#include <cstring>
#include <limits>

#include "host_device.h"

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

template <typename T>
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
};

}  // namespace tailops
