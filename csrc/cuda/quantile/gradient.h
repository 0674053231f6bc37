#pragma once

// The gradient of selection: an element gets the share of each q whose elements it is equal to.

#include "cuda/quantile/call.h"
#include "cuda/select/gradient.h"

namespace tailops {
namespace cuda {

template <typename T>
struct SelectionGradient : Groups {
  using Elements = Values<T>;
  using C = ComputeType<T>;
  using Weights = SelectionShares<C>;
  static constexpr int kMostCount = 1 << 30;

  const T* x;
  const T* upstream;
  const SelectionState* state;
  int64_t q_count;
  T* gradient;

  TAILOPS_DEVICE Elements elements() const { return {x, 1, size()}; }
  TAILOPS_DEVICE Elements group(int64_t g) const { return {x + first_of(g), inner, length}; }
  TAILOPS_DEVICE int64_t count() const { return q_count; }

  TAILOPS_DEVICE Weights weights_of(int64_t g, int64_t q) const {
    const double arriving = static_cast<double>(widen(upstream[q * groups() + g]));
    return selection_shares<C>(state[g * q_count + q], arriving);
  }

  static TAILOPS_DEVICE void add(const Weights& shares, T value, C& sum) {
    const C x_here = widen(value);
    sum += shares.of_all;
    if (x_here == shares.lower) sum += shares.lower_share;
    if (x_here == shares.upper) sum += shares.upper_share;
  }

  static TAILOPS_DEVICE T rounded(C sum) { return narrow<T>(static_cast<double>(sum)); }
};

}  // namespace cuda
}  // namespace tailops
