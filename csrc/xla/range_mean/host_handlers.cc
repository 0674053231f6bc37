// The range mean's handlers for platform "Host".

#include "cpu/range_mean/range_mean.h"
#include "xla/range_mean/arguments.h"
#include "xla/range_mean/handlers.h"
#include "xla/shared/pool_executor.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

ffi::Error range_mean_call(ffi::ThreadPool pool, ffi::AnyBuffer values, ffi::AnyBuffer bounds,
                           ffi::RemainingArgs others, ffi::Result<ffi::AnyBuffer> mean,
                           ffi::Result<ffi::AnyBuffer> state, ffi::Dictionary attributes) {
  return error_if_thrown(kRangeMeanTarget, values, [&] {
    const RangeMeanArguments call =
        read_range_mean(values, bounds, others, *mean, *state, attributes);
    with_type(values.element_type(), [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      range_mean_forward(static_cast<const T*>(values.untyped_data()), call.mask, call.weights,
                         call.geometry, call.options, *call.bounds, static_cast<T*>(call.mean),
                         call.state, executor);
    });
  });
}

ffi::Error range_mean_grad_call(ffi::ThreadPool pool, ffi::AnyBuffer upstream,
                                ffi::AnyBuffer values, ffi::AnyBuffer state,
                                ffi::RemainingArgs masks, ffi::Result<ffi::AnyBuffer> gradient,
                                ffi::Dictionary attributes) {
  return error_if_thrown(kRangeMeanGradTarget, values, [&] {
    const RangeMeanGradArguments call =
        read_range_mean_grad(upstream, values, state, masks, *gradient, attributes);
    with_type(values.element_type(), [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      range_mean_backward(static_cast<const T*>(call.upstream),
                          static_cast<const T*>(values.untyped_data()), call.mask, call.state,
                          call.geometry, static_cast<T*>(call.gradient), executor);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_range_mean_host, tailops::range_mean_call,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // values
                                  .Arg<xla::ffi::AnyBuffer>()  // bounds
                                  .RemainingArgs()             // mask or weights
                                  .Ret<xla::ffi::AnyBuffer>()  // mean
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_range_mean_grad_host, tailops::range_mean_grad_call,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // values
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // gradient
                                  .Attrs());
