#pragma once

// The launch of a selection's gradient. Included where the kernels are compiled: by nvcc, or by a
// test's emulation.

#include "call/quantile.h"
#include "cuda/device/limits.h"
#include "cuda/quantile/gradient.h"

namespace tailops {
namespace cuda {

template <typename T>
void launch_selection_gradient(const T* upstream, const T* x, const SelectionState* state,
                               const SelectionGeometry& geometry, int64_t q_count, T* gradient,
                               const Limits& limits, void* stream) {
  const SelectionGradient<T> task{geometry, x, upstream, state, q_count, gradient};
  launch_gradient(task, limits, stream);
}

}  // namespace cuda
}  // namespace tailops
