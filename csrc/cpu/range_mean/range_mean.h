#pragma once

// Means of values between two places of their order, group by group, and the gradient: each one
// call. Nothing is sorted, and where the sample is right, values are read once.
//
// T is float, double, Float16 or BFloat16.

#include <cstdint>

#include "call/range_mean.h"
#include "core/executor.h"
#include "core/float_types.h"

namespace tailops {

// mean[groups], state[groups]. Where `mask` is not null, elements are valid where it is true; of a
// group without any the mean is 0. std::invalid_argument if there is no such range.
template <typename T>
void range_mean_forward(const T* values, const bool* mask, const SelectionGeometry& geometry,
                        const RangeOptions& options, const RangeBounds& bounds, T* mean,
                        RangeState* state, Executor& executor);

// gradient[geometry.size()] = ∂/∂values of Σ upstream·mean. It may be written over `values`.
template <typename T>
void range_mean_backward(const T* upstream, const T* values, const bool* mask,
                         const RangeState* state, const SelectionGeometry& geometry, T* gradient,
                         Executor& executor);

}  // namespace tailops
