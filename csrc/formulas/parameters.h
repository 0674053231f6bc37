#pragma once

#include "core/host_device.h"
#include "formulas/gradient_mode.h"

namespace tailops {

// What the user chooses of the loss, in the compute type: κ, s, β, ε in formulas.
template <typename C>
struct LossParameters {
  C smoothing_factor;
  C error_scale;
  C beta;
  C epsilon;
  GradientMode mode;

  // 1 + s: the weight of an element whose indicator is 1. Where that is 0, the weight is 1.
  TAILOPS_HOST_DEVICE C weight_in_tail() const { return C(1) + error_scale; }

  template <typename Other>
  TAILOPS_HOST_DEVICE LossParameters<Other> as() const {
    return {static_cast<Other>(smoothing_factor), static_cast<Other>(error_scale),
            static_cast<Other>(beta), static_cast<Other>(epsilon), mode};
  }
};

}  // namespace tailops
