#pragma once

// The fused tail loss: forward and backward, each one call.
//
// T is float, double, Float16 or BFloat16.

#include "core/executor.h"
#include "core/float_types.h"
#include "call/geometry.h"
#include "call/options.h"

namespace tailops {

// What the forward pass leaves for the backward pass, one per group. The columns of the `state`
// array, in float64, which holds every compute type exactly.
struct GroupState {
  double threshold;
  double lower;         // the order statistics that make the threshold: elements equal to
  double upper;         // them share its gradient,
  double lower_weight;  // this much of it,
  double upper_weight;  // none where lower is upper,
  double lower_ties;    // and are so many
  double upper_ties;
  double threshold_gradient;  // Σ ∂ℓ/∂t of all others, with scalar reductions only
  double valid;               // how many of its elements are not ignored
};
constexpr const char* kStateNames[] = {
    "threshold",    "lower",      "upper",      "lower_weight",
    "upper_weight", "lower_ties", "upper_ties", "threshold_gradient",
    "valid"};
constexpr int64_t kStateColumns = sizeof(GroupState) / sizeof(double);
static_assert(sizeof(kStateNames) / sizeof(*kStateNames) == kStateColumns, "a name for each");

// loss[geometry.rows()], state[geometry.groups()]. `mask`, where it is not null, keeps the elements
// that are true. Means are over elements that are not ignored; of none, 0.
template <typename T>
void tail_loss_forward(const T* y_true, const T* y_pred, const bool* mask, const Geometry& geometry,
                       const Options& options, T* loss, GroupState* state, Executor& executor);

// Gradients and losses of at least this size are written past the caches.
constexpr int64_t kStreamedBytes = 4 << 20;

// gradient[geometry.size()] = ∂/∂y_pred of Σ upstream[r]·loss[r]; that of y_true is its negative.
// It may be written over y_true or y_pred.
template <typename T>
void tail_loss_backward(const T* upstream, const T* y_true, const T* y_pred, const bool* mask,
                        const GroupState* state, const Geometry& geometry, const Options& options,
                        T* gradient, Executor& executor);

}  // namespace tailops
