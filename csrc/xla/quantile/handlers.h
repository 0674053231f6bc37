#pragma once

// Selection as XLA custom calls: typed-FFI handlers.
//
//   tailops_select       (x, q) -> (value, state)
//   tailops_select_grad  (upstream, x, state) -> (gradient)
//
// q is float64; on the host, one out of range is an error; on a device it makes its values NaN.
// Attributes, each an int64: `method`, a place in selection_methods(); `ignore_nan`, 0 or 1; and
// `axis`, where there is one.

#include "xla/ffi/api/ffi.h"

namespace tailops {

constexpr const char* kSelectTarget = "tailops_select";
constexpr const char* kSelectGradTarget = "tailops_select_grad";

}  // namespace tailops

#pragma GCC visibility push(default)
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_grad_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_cuda);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_grad_cuda);
#pragma GCC visibility pop
