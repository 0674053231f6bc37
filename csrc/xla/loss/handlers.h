#pragma once

// The tail loss as XLA custom calls: typed-FFI handlers, for TensorFlow's XLA and for JAX.
//
//   tailops_tail_loss       (y_true, y_pred, numbers?, mask?) -> (loss, state)
//   tailops_tail_loss_grad  (upstream, y_true, y_pred, state, numbers?, mask?) -> (y_pred_gradient)
//
// Attributes: call_attributes of call/attributes.h; `rank`, an int64, how many dimensions a problem
// has: leading dimensions beyond it are many problems in one call, what `vmap` makes; and
// `scheduled`, 1 where numbers are given (StepNumbers in place of the attributes), 0 or not there.
// State and numbers are their bytes, of whatever dtype.

#include "xla/ffi/api/ffi.h"

namespace tailops {

constexpr const char* kForwardTarget = "tailops_tail_loss";
constexpr const char* kBackwardTarget = "tailops_tail_loss_grad";
constexpr const char* kRankAttribute = "rank";

}  // namespace tailops

// JAX's side finds them by name in the library.
#pragma GCC visibility push(default)
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_tail_loss_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_tail_loss_grad_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_tail_loss_cuda);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_tail_loss_grad_cuda);
#pragma GCC visibility pop
