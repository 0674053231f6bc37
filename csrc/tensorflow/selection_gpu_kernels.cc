// The selection ops on NVIDIA GPUs.

#include "gpu_call.h"
#include "kernels/cuda/selection.h"
#include "kernels/integers.h"
#include "selection_kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;

template <typename T>
class SelectOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  void Compute(OpKernelContext* context) override {
    using K = KernelType<T>;
    SelectCall call;
    OP_REQUIRES_OK(context, prepare(context, call));
    const cuda::Quantiles q{call.q, nullptr, call.q_count};
    OP_REQUIRES_OK(context, internal_if_thrown([&] {
                     const int64_t bytes = cuda::selection_workspace<K>(call.geometry, options_, q);
                     return with_workspace(context, bytes, [&](void* workspace) {
                       cuda::select_forward<K>(data_of<T>(context->input(0)), call.geometry,
                                               options_, q, data_of<T>(call.value), call.state,
                                               workspace, stream_of(context));
                     });
                   }));
  }
};

template <typename T>
class SelectGradOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  void Compute(OpKernelContext* context) override {
    SelectGradCall call;
    OP_REQUIRES_OK(context, prepare(context, call));
    OP_REQUIRES_OK(context, internal_if_thrown([&] {
                     cuda::select_backward(data_of<T>(context->input(0)),
                                           data_of<T>(context->input(1)), call.state, call.geometry,
                                           call.q_count, data_of<T>(call.gradient),
                                           stream_of(context));
                     return absl::OkStatus();
                   }));
  }
};

#define TAILOPS_FORWARD(T)                                                                   \
  REGISTER_KERNEL_BUILDER(                                                                   \
      Name(kSelectOp).Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T").HostMemory("q"), \
      SelectOp<T>);
#define TAILOPS_BOTH(T)    \
  TAILOPS_FORWARD(T)       \
  REGISTER_KERNEL_BUILDER( \
      Name(kSelectGradOp).Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"), SelectGradOp<T>);
TAILOPS_BOTH(float)
TAILOPS_BOTH(double)
TAILOPS_BOTH(Eigen::half)
TAILOPS_BOTH(Eigen::bfloat16)
TAILOPS_INTEGERS(TAILOPS_FORWARD)
#undef TAILOPS_BOTH
#undef TAILOPS_FORWARD

}  // namespace
}  // namespace tailops
