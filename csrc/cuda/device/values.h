#pragma once

// Elements of one tensor, for vectors.h.

#include <cstdint>
#include <type_traits>

#include "cuda/device/device.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Values {
  using Element = T;
  using Value = T;
  static constexpr int kInputs = 1;
  static constexpr bool kMayIgnore = false;

  const T* first;
  int64_t stride;
  int64_t length;

  TAILOPS_DEVICE const T* input(int) const { return first; }
  TAILOPS_DEVICE bool may_ignore() const { return false; }
  static TAILOPS_DEVICE T value_of(const T (&of)[1]) { return of[0]; }
  TAILOPS_DEVICE bool is_valid(const T (&)[1], int64_t) const { return true; }
  TAILOPS_DEVICE bool load(int64_t k, T& value) const {
    value = first[k * stride];
    return true;
  }
};

// Those that a mask says to be valid, if there is one.
template <typename T>
struct MaskedValues : Values<T> {
  static constexpr bool kMayIgnore = true;

  const bool* mask;  // of the first; or null

  TAILOPS_DEVICE bool may_ignore() const { return mask != nullptr; }
  TAILOPS_DEVICE bool is_valid_at(int64_t at) const { return mask == nullptr || mask[at]; }
  // A bit for each of some that lie side by side, from this one on, where there is a mask: loaded
  // at once, where they are aligned.
  template <int kLanes>
  TAILOPS_DEVICE unsigned valid_lanes(int64_t at) const {
    constexpr int kAtOnce = kLanes < 4 ? kLanes : 4;
    using Word = std::conditional_t<kAtOnce == 4, uint32_t, uint16_t>;
    static_assert(sizeof(Word) == kAtOnce * sizeof(bool), "two or four of the mask");
    unsigned valid = 0;
    if (reinterpret_cast<uintptr_t>(mask + at) % kAtOnce != 0) {
      TAILOPS_UNROLL
      for (int i = 0; i < kLanes; ++i) valid |= mask[at + i] ? 1u << i : 0u;
      return valid;
    }
    TAILOPS_UNROLL
    for (int i = 0; i < kLanes; i += kAtOnce) {
      const unsigned word = *reinterpret_cast<const Word*>(mask + at + i);
      // Bits 0, 8, 16, 24 become neighbours, from bit 24 on.
      valid |= ((word & 0x01010101u) * 0x01020408u >> 24 & 0xfu) << i;
    }
    return valid;
  }
  TAILOPS_DEVICE bool is_valid(const T (&)[1], int64_t at) const { return is_valid_at(at); }
  TAILOPS_DEVICE bool load(int64_t k, T& value) const {
    Values<T>::load(k, value);
    return is_valid_at(k * this->stride);
  }
};

}  // namespace cuda
}  // namespace tailops
