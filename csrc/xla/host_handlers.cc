// The handlers for platform "Host".

#include "arguments.h"
#include "handlers.h"
#include "pool_executor.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

ffi::Error forward(ffi::ThreadPool pool, ffi::AnyBuffer y_true, ffi::AnyBuffer y_pred,
                   ffi::RemainingArgs masks, ffi::Result<ffi::AnyBuffer> loss,
                   ffi::Result<ffi::AnyBuffer> state, ffi::Dictionary attributes) {
  return error_if_thrown(kForwardTarget, [&] {
    const Arguments call = read_arguments(y_true, y_pred, attributes);
    const bool* const mask = mask_of(masks, y_pred);
    void* const losses = data_of("loss", *loss, call.dtype, call.geometry.output_shape);
    GroupState* const states = state_of(*state, call.geometry);
    if (call.geometry.size() == 0) return;
    with_type(call.dtype, [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      tail_loss_forward(static_cast<const T*>(y_true.untyped_data()),
                        static_cast<const T*>(y_pred.untyped_data()), mask, call.geometry,
                        call.options, static_cast<T*>(losses), states, executor);
    });
  });
}

ffi::Error backward(ffi::ThreadPool pool, ffi::AnyBuffer upstream, ffi::AnyBuffer y_true,
                    ffi::AnyBuffer y_pred, ffi::AnyBuffer state, ffi::RemainingArgs masks,
                    ffi::Result<ffi::AnyBuffer> gradient, ffi::Dictionary attributes) {
  return error_if_thrown(kBackwardTarget, [&] {
    const Arguments call = read_arguments(y_true, y_pred, attributes);
    const bool* const mask = mask_of(masks, y_pred);
    const void* const arriving =
        data_of("upstream", upstream, call.dtype, call.geometry.output_shape);
    const GroupState* const states = state_of(state, call.geometry);
    const auto dimensions = y_pred.dimensions();
    void* const slopes =
        data_of("y_pred_gradient", *gradient, call.dtype, {dimensions.begin(), dimensions.end()});
    if (call.geometry.size() == 0) return;
    with_type(call.dtype, [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      tail_loss_backward(static_cast<const T*>(arriving),
                         static_cast<const T*>(y_true.untyped_data()),
                         static_cast<const T*>(y_pred.untyped_data()), mask, states, call.geometry,
                         call.options, static_cast<T*>(slopes), executor);
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
                                  .RemainingArgs()             // mask
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
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // y_pred_gradient
                                  .Attrs());
