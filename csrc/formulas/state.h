#pragma once

// What the forward pass leaves of a group.

#include <cstdint>

#include "core/host_device.h"
#include "formulas/band.h"
#include "formulas/rank.h"

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

// Of a group: its order statistics, how many elements are equal to each, how many count.
template <typename C>
TAILOPS_HOST_DEVICE GroupState state_of(C lower, C upper, double lower_ties, double upper_ties,
                                        const Rank& rank, double valid) {
  const bool one = lower == upper;
  return {static_cast<double>(interpolate(lower, upper, rank)),
          static_cast<double>(lower),
          static_cast<double>(upper),
          rank.factor * (one ? 1.0 : 1.0 - rank.weight),
          rank.factor * (one ? 0.0 : rank.weight),
          lower_ties,
          upper_ties,
          0.0,
          valid};
}

template <typename C>
TAILOPS_HOST_DEVICE Tail<C> tail_of(const GroupState& state, const LossParameters<C>& parameters) {
  return tail_of(static_cast<C>(state.threshold), static_cast<C>(state.lower),
                 static_cast<C>(state.upper), parameters);
}

}  // namespace tailops
