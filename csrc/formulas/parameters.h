#pragma once

#include <cmath>
#include <limits>

#include "core/host_device.h"
#include "formulas/gradient_mode.h"
#include "formulas/smoothing_unit.h"

namespace tailops {

// What the user chooses of the loss, in the compute type: κ, s, β, ε in formulas.
template <typename C>
struct LossParameters {
  C smoothing_factor;
  C error_scale;
  C beta;
  C epsilon;
  GradientMode mode;
  SmoothingUnit unit;

  // 1 + s: the weight of an element whose indicator is 1. Where that is 0, the weight is 1.
  TAILOPS_HOST_DEVICE C weight_in_tail() const { return C(1) + error_scale; }

  // 2κ in 1/error, of a group with this threshold. Where that is infinite, the step is a hard one;
  // so it is where t is infinite, whose 1/t would make no step at all. It is 0 only where κ is: far
  // enough from the largest t, an error is in the tail all the same.
  TAILOPS_HOST_DEVICE C steepness_at(C threshold) const {
    using Numbers = std::numeric_limits<C>;
    const C steepness = C(2) * smoothing_factor;
    if (unit == SmoothingUnit::kError || smoothing_factor == C(0)) return steepness;
    if (std::isinf(threshold)) return Numbers::infinity();
    const C of_group = steepness / std::fabs(threshold);
    return of_group > C(0) ? of_group : Numbers::denorm_min();
  }

  template <typename Other>
  TAILOPS_HOST_DEVICE LossParameters<Other> as() const {
    return {static_cast<Other>(smoothing_factor),
            static_cast<Other>(error_scale),
            static_cast<Other>(beta),
            static_cast<Other>(epsilon),
            mode,
            unit};
  }
};

}  // namespace tailops
