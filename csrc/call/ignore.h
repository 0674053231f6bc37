#pragma once

// Elements that are as if they were not there: missing labels.
//
// Selection and sums leave them out. Where each element has a result, theirs is zero, whatever it
// was computed from.

#include <cstdint>

#include "core/host_device.h"

namespace tailops {

// The rule of one call, in the compute type.
template <typename C>
struct Ignore {
  bool nan = false;        // targets and predictions that are NaN,
  bool has_value = false;  // targets equal to
  C value{};

  TAILOPS_HOST_DEVICE bool any() const { return nan || has_value; }

  TAILOPS_HOST_DEVICE bool ignores(C y_true, C y_pred) const {
    return (nan && (y_true != y_true || y_pred != y_pred)) || (has_value && y_true == value);
  }
};

}  // namespace tailops
