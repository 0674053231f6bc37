// The selection's handlers for platform "Host".

#include "cpu/quantile/quantile.h"
#include "xla/quantile/arguments.h"
#include "xla/quantile/handlers.h"
#include "xla/shared/pool_executor.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

ffi::Error select(ffi::ThreadPool pool, ffi::AnyBuffer x, ffi::AnyBuffer q,
                  ffi::RemainingArgs weights, ffi::Result<ffi::AnyBuffer> value,
                  ffi::Result<ffi::AnyBuffer> state, ffi::Dictionary attributes) {
  return error_if_thrown(kSelectTarget, x, [&] {
    const SelectArguments call = read_select(x, q, weights, *value, *state, attributes);
    with_selectable_type(x.element_type(), [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      select_forward(static_cast<const T*>(x.untyped_data()), call.weights, call.geometry,
                     call.options, call.q, call.q_count, static_cast<T*>(call.value), call.state,
                     executor);
    });
  });
}

ffi::Error select_grad(ffi::ThreadPool pool, ffi::AnyBuffer upstream, ffi::AnyBuffer x,
                       ffi::AnyBuffer state, ffi::Result<ffi::AnyBuffer> gradient,
                       ffi::Dictionary attributes) {
  return error_if_thrown(kSelectGradTarget, x, [&] {
    const SelectGradArguments call = read_select_grad(upstream, x, state, *gradient, attributes);
    with_type(x.element_type(), [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      select_backward(static_cast<const T*>(call.upstream), static_cast<const T*>(x.untyped_data()),
                      call.state, call.geometry, call.q_count, static_cast<T*>(call.gradient),
                      executor);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_select_host, tailops::select,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // x
                                  .Arg<xla::ffi::AnyBuffer>()  // q
                                  .RemainingArgs()             // weights
                                  .Ret<xla::ffi::AnyBuffer>()  // value
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_select_grad_host, tailops::select_grad,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // x
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .Ret<xla::ffi::AnyBuffer>()  // gradient
                                  .Attrs());
