#pragma once

// Selection as XLA custom calls: typed-FFI handlers.
//
//   tailops_select       (x, q) -> (value, state)
//   tailops_select_grad  (upstream, x, state) -> (gradient)
//
// q is float64, or, where a framework has none, uint32, whose last axis has the two words of each.
// The state is rows of float64, (groups, columns) of whatever dtype. On the host, a q out of range
// is an error; on a device it makes its values NaN. Attributes, each an int64: `method`, a place in
// selection_methods(); `ignore_nan`, 0 or 1; and `axis`, where there is one.

#include "xla/ffi/api/ffi.h"

namespace tailops {

constexpr const char* kSelectTarget = "tailops_select";
constexpr const char* kSelectGradTarget = "tailops_select_grad";

}  // namespace tailops

// JAX's side finds them by name in the library.
#pragma GCC visibility push(default)
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_grad_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_cuda);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_select_grad_cuda);
#pragma GCC visibility pop
