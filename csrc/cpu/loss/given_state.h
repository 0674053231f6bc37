#pragma once

// The tail loss of elements whose groups' states are known from elsewhere: of a share of a union.
// Every element has a loss, and an upstream gradient; a share may have none.
//
// T is float, double, Float16 or BFloat16.

#include "call/geometry.h"
#include "call/options.h"
#include "core/executor.h"
#include "core/float_types.h"
#include "formulas/state.h"
#include "formulas/union_state.h"

namespace tailops {

// loss[geometry.size()].
template <typename T>
void given_state_losses(const T* y_true, const T* y_pred, const bool* mask, const GroupState* state,
                        const Geometry& geometry, const Options& options, T* loss,
                        Executor& executor);

// slopes[geometry.groups()]: ∂/∂t of Σ upstream·loss of these elements.
template <typename T>
void given_state_slopes(const T* upstream, const T* y_true, const T* y_pred, const bool* mask,
                        const GroupState* state, const Geometry& geometry, const Options& options,
                        UnionSlopes* slopes, Executor& executor);

// gradient[geometry.size()] = ∂/∂y_pred of Σ upstream·loss, with ∂L/∂t as `slopes` has it: of the
// whole union. Null where the threshold is held constant. It may be written over y_true or y_pred.
template <typename T>
void given_state_gradient(const T* upstream, const T* y_true, const T* y_pred, const bool* mask,
                          const GroupState* state, const UnionSlopes* slopes,
                          const Geometry& geometry, const Options& options, T* gradient,
                          Executor& executor);

}  // namespace tailops
