// The range mean's ops on NVIDIA GPUs.

#include "cuda/range_mean/range_mean.h"
#include "tensorflow/range_mean/kernels.h"
#include "tensorflow/shared/gpu_call.h"
#include "tensorflow/shared/register_kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;

template <typename T>
class RangeMeanOp final : public RangeMeanBase {
 public:
  using RangeMeanBase::RangeMeanBase;

  absl::Status compute(OpKernelContext* context) const override {
    using K = KernelType<T>;
    RangeMeanCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    require(call);
    const int64_t bytes = cuda::range_mean_workspace<K>(call.geometry, options_, call.weights);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::range_mean_forward<K>(data_of<T>(context->input(0)), call.mask, call.weights,
                                  call.geometry, options_, {&call.bounds, nullptr},
                                  data_of<T>(call.mean), call.state, workspace, stream_of(context));
    });
  }

 private:
  // What is known without waiting for the device.
  void require(const RangeMeanCall& call) const {
    require_range(options_.kind, call.bounds);
    const SelectionGeometry& geometry = call.geometry;
    if (call.mask || geometry.groups() == 0) return;
    if (!has_range(options_.kind, call.bounds, geometry.length)) {
      throw_range_beyond(call.bounds, geometry.length);
    }
  }
};

template <typename T>
class RangeMeanGradOp final : public RangeMeanBase {
 public:
  using RangeMeanBase::RangeMeanBase;

  absl::Status compute(OpKernelContext* context) const override {
    RangeMeanGradCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    cuda::range_mean_backward(data_of<T>(context->input(0)), data_of<T>(context->input(1)),
                              call.mask, call.state, call.geometry, data_of<T>(call.gradient),
                              stream_of(context));
    return absl::OkStatus();
  }
};

const bool registered = [] {
  register_floats<RangeMeanOp, RangeMeanGradOp>(kRangeMeanOps, tensorflow::DEVICE_GPU);
  return true;
}();

}  // namespace
}  // namespace tailops
