#pragma once

// Means of values between two places of their order, group by group, and the gradient: each one
// call. Nothing is sorted, and where the sample is right, values are read once.
//
// T is float, double, Float16 or BFloat16.

#include <cstdint>

#include "call/range_mean.h"
#include "call/weights.h"
#include "core/executor.h"
#include "core/float_types.h"

namespace tailops {

// mean[groups], state[groups]. Where `mask` is not null, elements are valid where it is true; of a
// group without any the mean is 0; of one whose sum is beyond float64 it is infinite.
// std::invalid_argument if there is no such range.
//
// With weights, as many as values, instead of a mask: the mean of what is between two shares of all
// the weight, 0 where there is none. The state is one element's by its weight: it makes
// range_mean_backward's gradient what is to be multiplied by each element's own.
// std::invalid_argument if a weight is none.
template <typename T>
void range_mean_forward(const T* values, const bool* mask, const Weights& weights,
                        const SelectionGeometry& geometry, const RangeOptions& options,
                        const RangeBounds& bounds, T* mean, RangeState* state, Executor& executor);

// gradient[geometry.size()] = ∂/∂values of Σ upstream·mean. It may be written over `values`.
template <typename T>
void range_mean_backward(const T* upstream, const T* values, const bool* mask,
                         const RangeState* state, const SelectionGeometry& geometry, T* gradient,
                         Executor& executor);

}  // namespace tailops
