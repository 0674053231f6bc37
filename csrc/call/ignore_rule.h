#pragma once

// The rule of the options for elements of type T: targets are ignored that are equal to the value
// as T has it.

#include "call/ignore.h"
#include "call/options.h"
#include "core/float_types.h"

namespace tailops {

template <typename T>
Ignore<ComputeType<T>> ignore_rule(const Options& options) {
  const double value = options.ignore_value.value_or(0.0);
  return {options.ignore_nan, options.ignore_value.has_value(), widen(narrow<T>(value))};
}

}  // namespace tailops
