// The handlers for platform "Host".

#include "cpu/loss/tail_loss.h"
#include "xla/loss/arguments.h"
#include "xla/loss/handlers.h"
#include "xla/shared/pool_executor.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

Options options_of(const Arguments& call) {
  return call.numbers == nullptr ? call.options : with_numbers(call.options, *call.numbers);
}

ffi::Error forward(ffi::ThreadPool pool, ffi::AnyBuffer y_true, ffi::AnyBuffer y_pred,
                   ffi::RemainingArgs others, ffi::Result<ffi::AnyBuffer> loss,
                   ffi::Result<ffi::AnyBuffer> state, ffi::Dictionary attributes) {
  return error_if_thrown(kForwardTarget, y_pred, [&] {
    const ForwardArguments call =
        forward_arguments(y_true, y_pred, others, *loss, *state, attributes);
    with_elements(call, [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      tail_loss_forward(static_cast<const T*>(call.y_true), static_cast<const T*>(call.y_pred),
                        call.mask, call.geometry, options_of(call), static_cast<T*>(call.loss),
                        call.state, executor);
    });
  });
}

ffi::Error backward(ffi::ThreadPool pool, ffi::AnyBuffer upstream, ffi::AnyBuffer y_true,
                    ffi::AnyBuffer y_pred, ffi::AnyBuffer state, ffi::RemainingArgs others,
                    ffi::Result<ffi::AnyBuffer> gradient, ffi::Dictionary attributes) {
  return error_if_thrown(kBackwardTarget, y_pred, [&] {
    const BackwardArguments call =
        backward_arguments(upstream, y_true, y_pred, state, others, *gradient, attributes);
    with_elements(call, [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      tail_loss_backward(static_cast<const T*>(call.upstream), static_cast<const T*>(call.y_true),
                         static_cast<const T*>(call.y_pred), call.mask, call.state, call.geometry,
                         options_of(call), static_cast<T*>(call.gradient), executor);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_tail_loss_host, tailops::forward,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .RemainingArgs()             // numbers, mask
                                  .Ret<xla::ffi::AnyBuffer>()  // loss
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_tail_loss_grad_host, tailops::backward,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .RemainingArgs()             // numbers, mask
                                  .Ret<xla::ffi::AnyBuffer>()  // y_pred_gradient
                                  .Attrs());
