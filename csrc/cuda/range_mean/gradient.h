#pragma once

// The gradient of range means: an element gets its weight's share of what arrives at its group.

#include "cuda/range_mean/call.h"
#include "cuda/select/gradient.h"

namespace tailops {
namespace cuda {

template <typename T>
struct RangeGradient : Groups {
  using Elements = MaskedValues<T>;
  using C = ComputeType<T>;
  using Weights = RangeWeights<C>;
  static constexpr int kMostCount = 1;

  const T* values;
  const bool* mask;  // or null
  const T* upstream;
  const RangeState* state;
  T* gradient;

  TAILOPS_DEVICE Elements elements() const { return {{values, 1, size()}, mask}; }
  TAILOPS_DEVICE Elements group(int64_t g) const {
    const int64_t first = first_of(g);
    return {{values + first, inner, length}, mask == nullptr ? nullptr : mask + first};
  }
  static TAILOPS_DEVICE int64_t count() { return kMostCount; }

  TAILOPS_DEVICE Weights weights_of(int64_t g, int64_t) const {
    return range_weights<C>(state[g], static_cast<double>(widen(upstream[g])));
  }

  static TAILOPS_DEVICE void add(const Weights& weights, T value, C& sum) {
    sum += range_weight(widen(value), weights);
  }

  static TAILOPS_DEVICE T rounded(C sum) { return narrow<T>(static_cast<double>(sum)); }
};

template <typename T>
void launch_range_gradient(const T* upstream, const T* values, const bool* mask,
                           const RangeState* state, const Groups& groups, T* gradient,
                           const Limits& limits, void* stream) {
  const RangeGradient<T> task{groups, values, mask, upstream, state, gradient};
  launch_gradient(task, limits, stream);
}

}  // namespace cuda
}  // namespace tailops
