// The selection ops on NVIDIA GPUs.

#include "cuda/quantile/quantile.h"
#include "tensorflow/quantile/kernels.h"
#include "tensorflow/shared/gpu_call.h"
#include "tensorflow/shared/register_kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;

template <typename T>
class SelectOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  absl::Status compute(OpKernelContext* context) const override {
    using K = KernelType<T>;
    SelectCall call;
    TF_RETURN_IF_ERROR(prepare(context, call));
    const cuda::Quantiles q{call.q, nullptr, call.q_count};
    const int64_t bytes = cuda::selection_workspace<K>(call.geometry, options_, q, call.weights);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::select_forward<K>(data_of<T>(context->input(0)), call.weights, call.geometry, options_,
                              q, data_of<T>(call.value), call.state, workspace, stream_of(context));
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

const bool registered = [] {
  register_floats<SelectOp, SelectGradOp>(kSelectOps, tensorflow::DEVICE_GPU);
  register_integers<SelectOp>(kSelectOps, tensorflow::DEVICE_GPU);
  return true;
}();

}  // namespace
}  // namespace tailops
