#pragma once

// Elements of one tensor, for vectors.h.

#include <cstdint>

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
  TAILOPS_DEVICE bool is_valid(const T (&)[1], int64_t at) const { return is_valid_at(at); }
  TAILOPS_DEVICE bool load(int64_t k, T& value) const {
    Values<T>::load(k, value);
    return is_valid_at(k * this->stride);
  }
};

}  // namespace cuda
}  // namespace tailops
