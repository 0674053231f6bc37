#pragma once

// Ordered keys in digits, the leading one first: what selection by counting goes by.

#include <cstdint>

#include "core/host_device.h"

namespace tailops {

constexpr int kDigitBits = 11;
constexpr int kDigitValues = 1 << kDigitBits;

constexpr int digit_rounds(int key_bits) { return (key_bits + kDigitBits - 1) / kDigitBits; }

// Of a key: as many bits, from bit `shift` on. The last one may be shorter.
struct Digit {
  int bits;
  int shift;

  TAILOPS_HOST_DEVICE int count() const { return 1 << bits; }

  template <typename Key>
  TAILOPS_HOST_DEVICE int of(Key key) const {
    return static_cast<int>((key >> shift) & static_cast<Key>(count() - 1));
  }

  // The bits of a key that come behind.
  template <typename Key>
  TAILOPS_HOST_DEVICE Key rest() const {
    return (Key(1) << shift) - 1;
  }
};

TAILOPS_HOST_DEVICE Digit digit_of_round(int key_bits, int round) {
  const int left = key_bits - round * kDigitBits;
  const int bits = left < kDigitBits ? left : kDigitBits;
  return {bits, left - bits};
}

}  // namespace tailops
