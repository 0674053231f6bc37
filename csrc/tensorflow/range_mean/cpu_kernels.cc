// The range mean's ops on the CPU.

#include "cpu/range_mean/range_mean.h"
#include "tensorflow/range_mean/kernels.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/huge_pages.h"
#include "tensorflow/shared/register_kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;

template <typename T>
class RangeMeanOp final : public RangeMeanBase {
 public:
  using RangeMeanBase::RangeMeanBase;

  absl::Status compute(OpKernelContext* context) const override {
    RangeMeanCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    CpuExecutor executor(context);
    range_mean_forward(data_of<T>(context->input(0)), call.mask, call.weights, call.geometry,
                       options_, call.bounds, data_of<T>(call.mean), call.state, executor);
    return absl::OkStatus();
  }
};

template <typename T>
class RangeMeanGradOp final : public RangeMeanBase {
 public:
  using RangeMeanBase::RangeMeanBase;

  absl::Status compute(OpKernelContext* context) const override {
    RangeMeanGradCall call;
    TF_RETURN_IF_ERROR(begin(context, call));
    if (!call.is_over_input) ask_for_huge_pages(call.gradient->data(), call.gradient->TotalBytes());
    CpuExecutor executor(context);
    range_mean_backward(data_of<T>(context->input(0)), data_of<T>(context->input(1)), call.mask,
                        call.state, call.geometry, data_of<T>(call.gradient), executor);
    return absl::OkStatus();
  }
};

const bool registered = [] {
  register_floats<RangeMeanOp, RangeMeanGradOp>(kRangeMeanOps, tensorflow::DEVICE_CPU);
  return true;
}();

}  // namespace
}  // namespace tailops
