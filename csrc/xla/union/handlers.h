#pragma once

// The steps of a union of shares as XLA custom calls: typed-FFI handlers, for platform "Host".
//
//   tailops_union_histogram      (y_true, y_pred, search, mask?) -> (counts)
//   tailops_union_descend        (counts, search) -> (search)
//   tailops_union_state          (search) -> (state)
//   tailops_union_tail_loss      (y_true, y_pred, state, mask?) -> (loss)
//   tailops_union_slopes         (upstream, y_true, y_pred, state, mask?) -> (slopes)
//   tailops_union_tail_loss_grad (upstream, y_true, y_pred, state, slopes, mask?) -> (gradient)
//   tailops_union_range_descend  (counts, bounds, search) -> (search)
//   tailops_union_range_sums     (values, bounds, search, mask?) -> (sums)
//   tailops_union_range_mean     (bounds, search, sums) -> (mean, state)
//
// What is to be added up over all replicas is in int32 parts (core/integer_parts.h): counts, slopes
// and sums. All else that is no element is its bytes, of whatever dtype; in round 0 the search is
// not read. Attributes: those of the tail loss, without a batch of problems; of a range, `kind` and
// `axis`; and, where they matter, int64 `round`, `targets` and `key_bits`.

#include "xla/ffi/api/ffi.h"

#pragma GCC visibility push(default)
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_histogram_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_descend_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_state_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_tail_loss_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_slopes_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_tail_loss_grad_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_range_descend_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_range_sums_host);
XLA_FFI_DECLARE_HANDLER_SYMBOL(tailops_union_range_mean_host);
#pragma GCC visibility pop
