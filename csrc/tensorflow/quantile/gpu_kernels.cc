// The selection ops on NVIDIA GPUs.

#include "core/element_types.h"
#include "cuda/quantile/quantile.h"
#include "tensorflow/quantile/kernels.h"
#include "tensorflow/shared/gpu_call.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::register_kernel::Name;

template <typename T>
class SelectOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  absl::Status compute(OpKernelContext* context) const override {
    using K = KernelType<T>;
    SelectCall call;
    TF_RETURN_IF_ERROR(prepare(context, call));
    const cuda::Quantiles q{call.q, nullptr, call.q_count};
    const int64_t bytes = cuda::selection_workspace<K>(call.geometry, options_, q);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::select_forward<K>(data_of<T>(context->input(0)), call.geometry, options_, q,
                              data_of<T>(call.value), call.state, workspace, stream_of(context));
    });
  }
};

template <typename T>
class SelectGradOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  absl::Status compute(OpKernelContext* context) const override {
    SelectGradCall call;
    TF_RETURN_IF_ERROR(prepare(context, call));
    cuda::select_backward(data_of<T>(context->input(0)), data_of<T>(context->input(1)), call.state,
                          call.geometry, call.q_count, data_of<T>(call.gradient),
                          stream_of(context));
    return absl::OkStatus();
  }
};

template <typename T>
void register_select() {
  register_kernel<SelectOp<T>>(
      Name(kSelectOp).Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T").HostMemory("q"));
}

template <typename T>
void register_both() {
  register_select<T>();
  register_kernel<SelectGradOp<T>>(
      Name(kSelectGradOp).Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"));
}

const bool registered = [] {
#define TAILOPS_REGISTER(T, ...) register_both<TensorType<T>>();
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
#define TAILOPS_FORWARD(T, ...) register_select<T>();
  TAILOPS_INTEGERS(TAILOPS_FORWARD)
#undef TAILOPS_FORWARD
  return true;
}();

}  // namespace
}  // namespace tailops
