#pragma once

// The steps of a union of shares as XLA custom calls: typed-FFI handlers, for platform "Host" and,
// with the suffix _cuda, for platform "CUDA".
//
//   tailops_union_histogram      (y_true, y_pred, search, mask?) -> (counts)
//   tailops_union_descend        (counts, search, numbers?) -> (search)
//   tailops_union_state          (search, numbers?) -> (state)
//   tailops_union_tail_loss      (y_true, y_pred, state, numbers?, mask?) -> (loss)
//   tailops_union_remember       (y_true, y_pred, window, written, mask?) -> (window, written)
//   tailops_union_slopes         (upstream, y_true, y_pred, state, numbers?, mask?) -> (slopes)
//   tailops_union_tail_loss_grad (upstream, y_true, y_pred, state, slopes, numbers?, mask?)
//                                -> (gradient)
//   tailops_union_range_descend  (counts, bounds, search) -> (search)
//   tailops_union_range_sums     (values, bounds, search, mask?) -> (sums)
//   tailops_union_range_mean     (bounds, search, sums) -> (mean, state)
//
// What is to be added up over all replicas is in int32 parts (core/integer_parts.h): counts, slopes
// and sums. All else that is no element is its bytes, of whatever dtype; in round 0 the search is
// not read. Attributes: those of the tail loss, without a batch of problems; of a range, `kind` and
// `axis`; and, where they matter, int64 `round`, `targets`, `key_bits` and `frozen`.

#include <type_traits>
#include <utility>

#include "xla/ffi/api/ffi.h"
#include "xla/union/loss_calls.h"
#include "xla/union/range_calls.h"

namespace tailops {

// As a binding of XLA's: what a function is called with, from its parameters. Buffers, attributes,
// and a device, which XLA knows as a context.
class ByParameters {
 public:
  template <typename... Parameters>
  auto To(xla::ffi::Error (*function)(Parameters...)) const {
    return bind<Parameters...>(function, xla::ffi::Ffi::Bind());
  }

 private:
  template <typename Function, typename Binding>
  static auto bind(Function* function, Binding binding) {
    return std::move(binding).To(function);
  }

  template <typename First, typename... Others, typename Function, typename Binding>
  static auto bind(Function* function, Binding binding) {
    using xla::ffi::AnyBuffer;
    if constexpr (std::is_same_v<First, AnyBuffer>) {
      return bind<Others...>(function, std::move(binding).template Arg<AnyBuffer>());
    } else if constexpr (std::is_same_v<First, xla::ffi::RemainingArgs>) {
      return bind<Others...>(function, std::move(binding).RemainingArgs());
    } else if constexpr (std::is_same_v<First, xla::ffi::Result<AnyBuffer>>) {
      return bind<Others...>(function, std::move(binding).template Ret<AnyBuffer>());
    } else if constexpr (std::is_same_v<First, xla::ffi::Dictionary>) {
      return bind<Others...>(function, std::move(binding).Attrs());
    } else {
      return bind<Others...>(function, std::move(binding).template Ctx<First>());
    }
  }
};

}  // namespace tailops

// All of them, for a device and its suffix.
// clang-format off
#define TAILOPS_UNION_HANDLER(NAME, SUFFIX, CALL)                  \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_##NAME##_##SUFFIX, CALL, \
                                tailops::ByParameters())
#define TAILOPS_UNION_HANDLERS(DEVICE, SUFFIX)                                                   \
  TAILOPS_UNION_HANDLER(histogram, SUFFIX, tailops::union_histogram_call<DEVICE>);               \
  TAILOPS_UNION_HANDLER(descend, SUFFIX, tailops::union_descend_call<DEVICE>);                   \
  TAILOPS_UNION_HANDLER(state, SUFFIX, tailops::union_state_call<DEVICE>);                       \
  TAILOPS_UNION_HANDLER(tail_loss, SUFFIX, tailops::union_loss_call<DEVICE>);                    \
  TAILOPS_UNION_HANDLER(remember, SUFFIX, tailops::union_remember_call<DEVICE>);                 \
  TAILOPS_UNION_HANDLER(slopes, SUFFIX, tailops::union_slopes_call<DEVICE>);                     \
  TAILOPS_UNION_HANDLER(tail_loss_grad, SUFFIX, tailops::union_gradient_call<DEVICE>);           \
  TAILOPS_UNION_HANDLER(range_descend, SUFFIX, tailops::union_range_descend_call<DEVICE>);       \
  TAILOPS_UNION_HANDLER(range_sums, SUFFIX, tailops::union_range_sums_call<DEVICE>);             \
  TAILOPS_UNION_HANDLER(range_mean, SUFFIX, tailops::union_range_mean_call<DEVICE>)
// clang-format on
