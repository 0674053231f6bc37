#pragma once

// The elements that are equal to the order statistics of the threshold, whose gradient is theirs.
//
// Such an element has a spike of its own, s·e·h′, and by ∂L/∂t an equal share of those of all its
// ties, with the opposite sign. Where the upstream gradients are equal, both cancel: here, in the
// formula. In floating point a spike of ½κ·s·e would leave its rounding error, and an infinite one
// NaN.

#include <cmath>

#include "formulas/parameters.h"
#include "formulas/rank.h"
#include "formulas/state.h"
#include "formulas/tail_loss.h"
#include "formulas/tie.h"

namespace tailops {

// Where all elements have the upstream gradient g.
TAILOPS_HOST_DEVICE ThresholdGradientOf<SameUpstream> threshold_gradient_of(const GroupState& state,
                                                                            double g) {
  return {g * state.threshold_gradient, {g}, {g}};
}

// In float64, or what is left of two spikes that nearly cancel would be their rounding errors.
template <typename Upstream, typename C>
TAILOPS_HOST_DEVICE Ties ties_of(const GroupState& state,
                                 const ThresholdGradientOf<Upstream>& by_threshold,
                                 const LossParameters<C>& w) {
  const auto formulas = formulas_of(w.template as<double>());
  const double steepness = w.steepness_at(static_cast<C>(state.threshold));
  // So far below the threshold h′ is zero. What is left of it would not be, times a huge error.
  constexpr double kNothing = 1e-300;
  const auto tie_at = [&](double error) {
    Indicator<double> h = error == state.threshold
                              ? formulas.indicator_at_threshold(steepness)
                              : formulas.indicator(error, state.threshold, steepness);
    if (h.value < kNothing) h.derivative = 0.0;
    const bool has_spike = w.mode != GradientMode::kFixedWeight;
    return Tie{formulas.weight(h), has_spike ? formulas.spike(error, h) : 0.0, 0.0, 0.0};
  };
  const auto share = [&](Tie& tie, double weight, double count, const Upstream& upstream,
                         double of_others) {
    if (w.mode != GradientMode::kExact) return;
    tie.expected = weight * upstream.mean(count);
    tie.through = weight / count * of_others;
  };
  Tie lower = tie_at(state.lower);
  if (state.lower == state.upper) {
    share(lower, state.lower_weight, state.lower_ties, by_threshold.lower, by_threshold.others);
    return {lower, lower};
  }
  Tie upper = tie_at(state.upper);
  // An infinite spike is no other element's: as the error grows, what the others have of it
  // vanishes.
  const auto taken_by = [](const Tie& tie, double upstream) {
    return std::isinf(tie.spike) ? 0.0 : tie.spike * upstream;
  };
  share(lower, state.lower_weight, state.lower_ties, by_threshold.lower,
        by_threshold.others - taken_by(upper, by_threshold.upper.total(state.upper_ties)));
  share(upper, state.upper_weight, state.upper_ties, by_threshold.upper,
        by_threshold.others - taken_by(lower, by_threshold.lower.total(state.lower_ties)));
  return {lower, upper};
}

}  // namespace tailops
