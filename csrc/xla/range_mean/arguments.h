#pragma once

// A custom call's buffers and attributes as range means take them.

#include "call/range_mean.h"
#include "xla/shared/arguments.h"

namespace tailops {

struct RangeMeanArguments {
  RangeOptions options;
  SelectionGeometry geometry;
  const RangeBounds* bounds;
  const bool* mask;  // null where there is none
  Weights weights;
  void* mean;
  RangeState* state;
};

struct RangeMeanGradArguments {
  SelectionGeometry geometry;
  const void* upstream;
  const RangeState* state;
  const bool* mask;
  void* gradient;
};

// What the bounds are is not looked at: they may be a device's. `others`: a mask, or weights, or
// nothing.
RangeMeanArguments read_range_mean(const xla::ffi::AnyBuffer& values,
                                   const xla::ffi::AnyBuffer& bounds,
                                   xla::ffi::RemainingArgs others, const xla::ffi::AnyBuffer& mean,
                                   const xla::ffi::AnyBuffer& state,
                                   const xla::ffi::Dictionary& attributes);

RangeMeanGradArguments read_range_mean_grad(const xla::ffi::AnyBuffer& upstream,
                                            const xla::ffi::AnyBuffer& values,
                                            const xla::ffi::AnyBuffer& state,
                                            xla::ffi::RemainingArgs masks,
                                            const xla::ffi::AnyBuffer& gradient,
                                            const xla::ffi::Dictionary& attributes);

}  // namespace tailops
