#pragma once

// Which elements do not count: they enter neither selection nor sums nor n, and their gradient is
// exactly zero. Always by a select, never by a product with zero: zero times NaN is NaN.

#include "host_device.h"

namespace tailops {

template <typename C>
struct Ignore {
  bool nan = false;        // where the target or the prediction is NaN
  bool has_value = false;  // where the target is this value
  C value{};

  TAILOPS_HOST_DEVICE bool any() const { return nan || has_value; }

  TAILOPS_HOST_DEVICE bool ignores(C y_true, C y_pred) const {
    return (has_value && y_true == value) || (nan && (y_true != y_true || y_pred != y_pred));
  }
};

}  // namespace tailops
