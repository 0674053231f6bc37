#pragma once

// A custom call's buffers and attributes as the tail loss takes them. What numbers hold is not
// looked at: they may be a device's.

#include "call/geometry.h"
#include "call/options.h"
#include "formulas/state.h"
#include "xla/shared/arguments.h"

namespace tailops {

// What both passes of the tail loss are called with.
struct Arguments {
  Options options;
  Geometry geometry;
  const StepNumbers* numbers;  // in place of the options' own; null where there are none
  xla::ffi::DataType dtype;
  const void* y_true;
  const void* y_pred;
  const bool* mask;  // null where there is none
};

struct ForwardArguments : Arguments {
  void* loss;
  GroupState* state;
};

struct BackwardArguments : Arguments {
  const void* upstream;
  const GroupState* state;
  void* gradient;
};

ForwardArguments forward_arguments(const xla::ffi::AnyBuffer& y_true,
                                   const xla::ffi::AnyBuffer& y_pred,
                                   xla::ffi::RemainingArgs others, const xla::ffi::AnyBuffer& loss,
                                   const xla::ffi::AnyBuffer& state,
                                   const xla::ffi::Dictionary& attributes);

BackwardArguments backward_arguments(const xla::ffi::AnyBuffer& upstream,
                                     const xla::ffi::AnyBuffer& y_true,
                                     const xla::ffi::AnyBuffer& y_pred,
                                     const xla::ffi::AnyBuffer& state,
                                     xla::ffi::RemainingArgs others,
                                     const xla::ffi::AnyBuffer& gradient,
                                     const xla::ffi::Dictionary& attributes);

// body(T{}) for the kernels' element type, unless there are no elements.
template <typename Body>
void with_elements(const Arguments& call, const Body& body) {
  if (call.geometry.size() != 0) with_type(call.dtype, body);
}

}  // namespace tailops
