#pragma once

// A custom call's buffers and attributes as selection takes them.

#include "call/quantile.h"
#include "formulas/quantile_state.h"
#include "xla/shared/arguments.h"

namespace tailops {

struct SelectArguments {
  SelectionOptions options;
  SelectionGeometry geometry;
  const double* q;
  int64_t q_count;
  Weights weights;
  void* value;
  SelectionState* state;
};

struct SelectGradArguments {
  SelectionGeometry geometry;
  int64_t q_count;
  const void* upstream;
  const SelectionState* state;
  void* gradient;
};

// What q holds is not looked at: it may be a device's.
SelectArguments read_select(const xla::ffi::AnyBuffer& x, const xla::ffi::AnyBuffer& q,
                            xla::ffi::RemainingArgs weights, const xla::ffi::AnyBuffer& value,
                            const xla::ffi::AnyBuffer& state,
                            const xla::ffi::Dictionary& attributes);

SelectGradArguments read_select_grad(const xla::ffi::AnyBuffer& upstream,
                                     const xla::ffi::AnyBuffer& x, const xla::ffi::AnyBuffer& state,
                                     const xla::ffi::AnyBuffer& gradient,
                                     const xla::ffi::Dictionary& attributes);

}  // namespace tailops
