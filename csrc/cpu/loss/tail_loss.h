#pragma once

// The fused tail loss: forward and backward, each one call.
//
// T is float, double, Float16 or BFloat16.

#include "call/geometry.h"
#include "call/options.h"
#include "core/executor.h"
#include "core/float_types.h"
#include "formulas/state.h"

namespace tailops {

// loss[geometry.rows()], state[geometry.groups()]. Where `mask` is not null, elements
// are valid where it is true. Means are over elements that are not ignored; of none, 0.
template <typename T>
void tail_loss_forward(const T* y_true, const T* y_pred, const bool* mask, const Geometry& geometry,
                       const Options& options, T* loss, GroupState* state, Executor& executor);

// gradient[geometry.size()] = ∂/∂y_pred of Σ upstream[r]·loss[r]; that of y_true is its negative.
// It may be written over y_true or y_pred.
template <typename T>
void tail_loss_backward(const T* upstream, const T* y_true, const T* y_pred, const bool* mask,
                        const GroupState* state, const Geometry& geometry, const Options& options,
                        T* gradient, Executor& executor);

}  // namespace tailops
