#pragma once

// What selection makes of the elements that it has found, and the gradient of what it has found.

#include <cmath>
#include <cstdint>

#include "core/float_types.h"
#include "core/host_device.h"
#include "formulas/rank.h"

namespace tailops {

// What the forward pass leaves for the backward pass, one per group and q; float64 holds every
// floating type exactly. An element equal to `lower` gets lower_share of the gradient, one equal to
// `upper` upper_share: the interpolation's parameters, whatever the elements are, split equally
// over the ties. NaN shares: the group has a NaN, and so has all of its gradient.
struct SelectionState {
  double lower;
  double upper;
  double lower_share;
  double upper_share;
};
constexpr int64_t kSelectionColumns = sizeof(SelectionState) / sizeof(double);

// C: what T is computed in.
template <typename T, typename C>
TAILOPS_HOST_DEVICE T selected_value(C lower, C upper, const Rank& rank) {
  return narrow<T>(static_cast<double>(interpolate(lower, upper, rank)));
}

template <typename C>
TAILOPS_HOST_DEVICE SelectionState selection_state(C lower, C upper, double lower_ties,
                                                   double upper_ties, const Rank& rank) {
  const bool one = lower == upper;
  return {static_cast<double>(lower), static_cast<double>(upper),
          (one ? 1.0 : 1.0 - rank.weight) / lower_ties, (one ? 0.0 : rank.weight) / upper_ties};
}

// Of integers, which have no gradient.
TAILOPS_HOST_DEVICE SelectionState state_without_gradient(double value) {
  return {value, value, 0.0, 0.0};
}

// The share is 0 where there is nothing but NaN to be ignored, and NaN otherwise.
TAILOPS_HOST_DEVICE SelectionState nan_selection(double share) {
  const double nan = static_cast<double>(NAN);
  return {nan, nan, share, share};
}

// What reaches an element of value x by one q: by being equal to one of its two elements, and, a
// NaN, by being of its group.
template <typename C>
struct SelectionShares {
  C lower;
  C upper;
  C lower_share;
  C upper_share;
  C of_all;
};

template <typename C>
TAILOPS_HOST_DEVICE SelectionShares<C> selection_shares(const SelectionState& state,
                                                        double arriving) {
  if (state.lower_share != state.lower_share) {
    const C nan = static_cast<C>(state.lower_share);
    return {nan, nan, C(0), C(0), nan};
  }
  // ∞ · 0 is no share.
  const double lower = state.lower_share == 0.0 ? 0.0 : arriving * state.lower_share;
  const double upper = state.upper_share == 0.0 ? 0.0 : arriving * state.upper_share;
  return {static_cast<C>(state.lower), static_cast<C>(state.upper), static_cast<C>(lower),
          static_cast<C>(upper), C(0)};
}

}  // namespace tailops
