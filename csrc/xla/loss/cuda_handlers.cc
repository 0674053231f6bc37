// The handlers for platform "CUDA". No CUDA header: the stream is a pointer.

#include "cuda/loss/tail_loss.h"
#include "xla/loss/arguments.h"
#include "xla/loss/handlers.h"
#include "xla/shared/scratch.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

Options options_of(const Arguments& call, void* stream) {
  if (call.numbers == nullptr) return call.options;
  return with_numbers(call.options, cuda::step_numbers(call.numbers, stream));
}

template <typename T>
cuda::Inputs<T> inputs_of(const Arguments& call) {
  return {static_cast<const T*>(call.y_true), static_cast<const T*>(call.y_pred), call.mask};
}

ffi::Error forward(void* stream, WorkspaceAllocator workspaces, ffi::AnyBuffer y_true,
                   ffi::AnyBuffer y_pred, ffi::RemainingArgs others,
                   ffi::Result<ffi::AnyBuffer> loss, ffi::Result<ffi::AnyBuffer> state,
                   ffi::Dictionary attributes) {
  return error_if_thrown(kForwardTarget, y_pred, [&] {
    const ForwardArguments call =
        forward_arguments(y_true, y_pred, others, *loss, *state, attributes);
    with_elements(call, [&](auto element) {
      using T = decltype(element);
      const cuda::Inputs<T> inputs = inputs_of<T>(call);
      const Options options = options_of(call, stream);
      const int64_t bytes = cuda::forward_workspace(inputs, call.geometry, options);
      cuda::forward(inputs, call.geometry, options, static_cast<T*>(call.loss), call.state,
                    workspaces.allocate(bytes), stream);
    });
  });
}

ffi::Error backward(void* stream, WorkspaceAllocator workspaces, ffi::AnyBuffer upstream,
                    ffi::AnyBuffer y_true, ffi::AnyBuffer y_pred, ffi::AnyBuffer state,
                    ffi::RemainingArgs others, ffi::Result<ffi::AnyBuffer> gradient,
                    ffi::Dictionary attributes) {
  return error_if_thrown(kBackwardTarget, y_pred, [&] {
    const BackwardArguments call =
        backward_arguments(upstream, y_true, y_pred, state, others, *gradient, attributes);
    with_elements(call, [&](auto element) {
      using T = decltype(element);
      const cuda::Inputs<T> inputs = inputs_of<T>(call);
      const Options options = options_of(call, stream);
      const int64_t bytes = cuda::backward_workspace(inputs, call.geometry, options);
      cuda::backward(inputs, static_cast<const T*>(call.upstream), call.state, call.geometry,
                     options, static_cast<T*>(call.gradient), workspaces.allocate(bytes), stream);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_tail_loss_cuda, tailops::forward,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Ctx<tailops::WorkspaceAllocator>()
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .RemainingArgs()             // numbers, mask
                                  .Ret<xla::ffi::AnyBuffer>()  // loss
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_tail_loss_grad_cuda, tailops::backward,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Ctx<tailops::WorkspaceAllocator>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .RemainingArgs()             // numbers, mask
                                  .Ret<xla::ffi::AnyBuffer>()  // y_pred_gradient
                                  .Attrs());
