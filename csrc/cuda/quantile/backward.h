#pragma once

// The launch of a selection's gradient. Included where the kernels are compiled: by nvcc, or by a
// test's emulation.

#include "call/quantile.h"
#include "cuda/device/column_plan.h"
#include "cuda/device/shares.h"
#include "cuda/quantile/gradient.h"

namespace tailops {
namespace cuda {

template <typename T>
void launch_selection_gradient(const T* upstream, const T* x, const SelectionState* state,
                               const SelectionGeometry& geometry, int64_t q_count, T* gradient,
                               const Limits& limits, void* stream) {
  if (geometry.size() == 0) return;
  const Groups& groups = geometry;
  const SelectionGradientCall<T> call{groups, x, upstream, state, q_count, gradient};
  if (groups.inner > 1) {
    const ColumnPlan plan(groups.outer, groups.length, groups.inner, limits);
    device::launch(ColumnSelectionGradient<T>{call, plan}, plan.grid(), stream);
    return;
  }
  const int64_t blocks = blocks_for(groups.size() * static_cast<int64_t>(sizeof(T)), limits);
  device::launch(SelectionGradient<T>{call}, {blocks, 1, limits.grid_threads, 0}, stream);
}

}  // namespace cuda
}  // namespace tailops
