#pragma once

// Range means as XLA custom calls: typed-FFI handlers.
//
//   tailops_range_mean       (values, bounds, mask?) -> (mean, state)
//   tailops_range_mean_grad  (upstream, values, state, mask?) -> (gradient)
//
// Bounds are two float64, and the state is rows of them; both are bytes, of whatever dtype. On the
// host, bounds that are no range are an error; on a device they make mean and gradient NaN.
// Attributes, each an int64: `kind`, a place in range_kind_names(); and `axis`, where there is one.

#include "xla/ffi/api/ffi.h"

namespace tailops {

constexpr const char* kRangeMeanTarget = "tailops_range_mean";
constexpr const char* kRangeMeanGradTarget = "tailops_range_mean_grad";

}  // namespace tailops

// JAX's side finds them by name in the library.
#pragma GCC visibility push(default)
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_range_mean_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_range_mean_grad_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_range_mean_cuda);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_range_mean_grad_cuda);
#pragma GCC visibility pop
