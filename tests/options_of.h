#pragma once

// The options of a call as programs of tests get them from Python: numbers, by these names.

#include "call/options.h"

namespace tailops {

template <typename Numbers>
Options options_of(const Numbers& numbers) {
  Options options;
  options.error_kind = static_cast<int>(numbers.error_kind);
  options.method = static_cast<int>(numbers.method);
  options.gradient = static_cast<GradientMode>(numbers.gradient_mode);
  options.smoothing_unit = static_cast<SmoothingUnit>(numbers.smoothing_unit);
  options.selection = static_cast<SelectionPath>(numbers.selection);
  options.percentile = numbers.percentile;
  options.smoothing_factor = numbers.smoothing_factor;
  options.error_scale = numbers.error_scale;
  options.beta = numbers.beta;
  options.epsilon = numbers.epsilon;
  options.ignore_nan = numbers.ignore_nan != 0;
  if (numbers.has_ignore_value != 0) options.ignore_value = numbers.ignore_value;
  return options;
}

}  // namespace tailops
