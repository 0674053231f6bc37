// The handlers for platform "CUDA". No CUDA header: the stream is a pointer.

#include "arguments.h"
#include "handlers.h"
#include "kernels/cuda/tail_loss.h"
#include "scratch.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

template <typename T>
cuda::Inputs<T> inputs_of(const ffi::AnyBuffer& y_true, const ffi::AnyBuffer& y_pred,
                          const bool* mask) {
  return {static_cast<const T*>(y_true.untyped_data()),
          static_cast<const T*>(y_pred.untyped_data()), mask};
}

ffi::Error forward(void* stream, ffi::ScratchAllocator scratch, ffi::AnyBuffer y_true,
                   ffi::AnyBuffer y_pred, ffi::RemainingArgs masks,
                   ffi::Result<ffi::AnyBuffer> loss, ffi::Result<ffi::AnyBuffer> state,
                   ffi::Dictionary attributes) {
  return error_if_thrown(kForwardTarget, [&] {
    const Arguments call = read_arguments(y_true, y_pred, attributes);
    const bool* const mask = mask_of(masks, y_pred);
    void* const losses = data_of("loss", *loss, call.dtype, call.geometry.output_shape);
    GroupState* const states = state_of(*state, call.geometry);
    if (call.geometry.size() == 0) return;
    with_type(call.dtype, [&](auto element) {
      using T = decltype(element);
      const cuda::Inputs<T> inputs = inputs_of<T>(y_true, y_pred, mask);
      const int64_t bytes = cuda::forward_workspace(inputs, call.geometry, call.options);
      cuda::forward(inputs, call.geometry, call.options, static_cast<T*>(losses), states,
                    allocate(scratch, bytes), stream);
    });
  });
}

ffi::Error backward(void* stream, ffi::ScratchAllocator scratch, ffi::AnyBuffer upstream,
                    ffi::AnyBuffer y_true, ffi::AnyBuffer y_pred, ffi::AnyBuffer state,
                    ffi::RemainingArgs masks, ffi::Result<ffi::AnyBuffer> gradient,
                    ffi::Dictionary attributes) {
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
      const cuda::Inputs<T> inputs = inputs_of<T>(y_true, y_pred, mask);
      const int64_t bytes = cuda::backward_workspace(inputs, call.geometry, call.options);
      cuda::backward(inputs, static_cast<const T*>(arriving), states, call.geometry, call.options,
                     static_cast<T*>(slopes), allocate(scratch, bytes), stream);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_tail_loss_cuda, tailops::forward,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Ctx<xla::ffi::ScratchAllocator>()
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // loss
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_tail_loss_grad_cuda, tailops::backward,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::PlatformStream<void*>>()
                                  .Ctx<xla::ffi::ScratchAllocator>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // y_pred_gradient
                                  .Attrs());
