#pragma once

// Order statistics of one array, group by group, and their interpolations: quantiles, medians, the
// n-th element. Several of them are found in one selection. And the gradient.
//
// T is float, double, Float16 or BFloat16; forward only, and without interpolation, any integer up
// to 64 bits too.

#include <cstdint>

#include "call/quantile.h"
#include "call/weights.h"
#include "core/executor.h"
#include "core/float_types.h"
#include "formulas/quantile_state.h"

namespace tailops {

// value[q_count · groups], state[groups · q_count]. std::invalid_argument if a q is out of range,
// the method interpolates integers, or has no weights and there are some, or a weight is none, or
// those of a group are all 0.
//
// With weights, as many as x has elements, the state is one element's by its weight: it makes
// select_backward's gradient what is to be multiplied by each element's own.
template <typename T>
void select_forward(const T* x, const Weights& weights, const SelectionGeometry& geometry,
                    const SelectionOptions& options, const double* q, int64_t q_count, T* value,
                    SelectionState* state, Executor& executor);

// gradient[geometry.size()] = ∂/∂x of Σ upstream·value; upstream is like value.
template <typename T>
void select_backward(const T* upstream, const T* x, const SelectionState* state,
                     const SelectionGeometry& geometry, int64_t q_count, T* gradient,
                     Executor& executor);

}  // namespace tailops
