// The selection's handlers for platform "CUDA": q is a buffer of the device, and nothing waits for
// what it holds. No CUDA header: the stream is a pointer.

#include "cuda/quantile/quantile.h"
#include "xla/quantile/arguments.h"
#include "xla/quantile/handlers.h"
#include "xla/shared/scratch.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

ffi::Error select(void* stream, WorkspaceAllocator workspaces, ffi::AnyBuffer x, ffi::AnyBuffer q,
                  ffi::RemainingArgs weights, ffi::Result<ffi::AnyBuffer> value,
                  ffi::Result<ffi::AnyBuffer> state, ffi::Dictionary attributes) {
  return error_if_thrown(kSelectTarget, x, [&] {
    const SelectArguments call = read_select(x, q, weights, *value, *state, attributes);
    const cuda::Quantiles quantiles{nullptr, call.q, call.q_count};
    with_selectable_type(x.element_type(), [&](auto element) {
      using T = decltype(element);
      const int64_t bytes =
          cuda::selection_workspace<T>(call.geometry, call.options, quantiles, call.weights);
      cuda::select_forward(static_cast<const T*>(x.untyped_data()), call.weights, call.geometry,
                           call.options, quantiles, static_cast<T*>(call.value), call.state,
                           workspaces.allocate(bytes), stream);
    });
  });
}

ffi::Error select_grad(void* stream, ffi::AnyBuffer upstream, ffi::AnyBuffer x,
                       ffi::AnyBuffer state, ffi::Result<ffi::AnyBuffer> gradient,
                       ffi::Dictionary attributes) {
  return error_if_thrown(kSelectGradTarget, x, [&] {
    const SelectGradArguments call = read_select_grad(upstream, x, state, *gradient, attributes);
    with_type(x.element_type(), [&](auto element) {
      using T = decltype(element);
      cuda::select_backward(static_cast<const T*>(call.upstream),
                            static_cast<const T*>(x.untyped_data()), call.state, call.geometry,
                            call.q_count, static_cast<T*>(call.gradient), stream);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_select_cuda, tailops::select,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Ctx<tailops::WorkspaceAllocator>()
                                  .Arg<xla::ffi::AnyBuffer>()  // x
                                  .Arg<xla::ffi::AnyBuffer>()  // q
                                  .RemainingArgs()             // weights
                                  .Ret<xla::ffi::AnyBuffer>()  // value
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

// Launches on the stream and touches nothing but its buffers: XLA may record it in a command
// buffer. The handlers with a workspace may not be recorded: XLA takes the scratch memory back when
// the handler returns, and a recorded launch would use it again at every replay, when it is
// others'.
XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_select_grad_cuda, tailops::select_grad,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // x
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .Ret<xla::ffi::AnyBuffer>()  // gradient
                                  .Attrs(),
                              {xla::ffi::Traits::kCmdBufferCompatible});
