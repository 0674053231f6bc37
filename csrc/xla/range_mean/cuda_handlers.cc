// The range mean's handlers for platform "CUDA": bounds are a buffer of the device, and nothing
// waits for what they are. No CUDA header: the stream is a pointer.

#include "cuda/range_mean/range_mean.h"
#include "xla/range_mean/arguments.h"
#include "xla/range_mean/handlers.h"
#include "xla/shared/scratch.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

ffi::Error range_mean_call(void* stream, WorkspaceAllocator workspaces, ffi::AnyBuffer values,
                           ffi::AnyBuffer bounds, ffi::RemainingArgs others,
                           ffi::Result<ffi::AnyBuffer> mean, ffi::Result<ffi::AnyBuffer> state,
                           ffi::Dictionary attributes) {
  return error_if_thrown(kRangeMeanTarget, values, [&] {
    const RangeMeanArguments call =
        read_range_mean(values, bounds, others, *mean, *state, attributes);
    with_type(values.element_type(), [&](auto element) {
      using T = decltype(element);
      const int64_t bytes =
          cuda::range_mean_workspace<T>(call.geometry, call.options, call.weights);
      cuda::range_mean_forward(static_cast<const T*>(values.untyped_data()), call.mask,
                               call.weights, call.geometry, call.options, {nullptr, call.bounds},
                               static_cast<T*>(call.mean), call.state, workspaces.allocate(bytes),
                               stream);
    });
  });
}

ffi::Error range_mean_grad_call(void* stream, ffi::AnyBuffer upstream, ffi::AnyBuffer values,
                                ffi::AnyBuffer state, ffi::RemainingArgs masks,
                                ffi::Result<ffi::AnyBuffer> gradient, ffi::Dictionary attributes) {
  return error_if_thrown(kRangeMeanGradTarget, values, [&] {
    const RangeMeanGradArguments call =
        read_range_mean_grad(upstream, values, state, masks, *gradient, attributes);
    with_type(values.element_type(), [&](auto element) {
      using T = decltype(element);
      cuda::range_mean_backward(static_cast<const T*>(call.upstream),
                                static_cast<const T*>(values.untyped_data()), call.mask, call.state,
                                call.geometry, static_cast<T*>(call.gradient), stream);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_range_mean_cuda, tailops::range_mean_call,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Ctx<tailops::WorkspaceAllocator>()
                                  .Arg<xla::ffi::AnyBuffer>()  // values
                                  .Arg<xla::ffi::AnyBuffer>()  // bounds
                                  .RemainingArgs()             // mask or weights
                                  .Ret<xla::ffi::AnyBuffer>()  // mean
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

// It may be recorded in a command buffer, and the forward pass with its workspace may not: see the
// selection's.
XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_range_mean_grad_cuda, tailops::range_mean_grad_call,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // values
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // gradient
                                  .Attrs(),
                              {xla::ffi::Traits::kCmdBufferCompatible});
