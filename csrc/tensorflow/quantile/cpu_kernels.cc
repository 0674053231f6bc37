// The selection ops on the CPU.

#include "tensorflow/quantile/kernels.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/huge_pages.h"
#include "tensorflow/shared/register_kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelContext;

template <typename T>
class SelectOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  absl::Status compute(OpKernelContext* context) const override {
    SelectCall call;
    TF_RETURN_IF_ERROR(prepare(context, call));
    CpuExecutor executor(context);
    select_forward(data_of<T>(context->input(0)), call.weights, call.geometry, options_, call.q,
                   call.q_count, data_of<T>(call.value), call.state, executor);
    return absl::OkStatus();
  }
};

template <typename T>
class SelectGradOp final : public SelectionOp {
 public:
  using SelectionOp::SelectionOp;

  absl::Status compute(OpKernelContext* context) const override {
    SelectGradCall call;
    TF_RETURN_IF_ERROR(prepare(context, call));
    ask_for_huge_pages(call.gradient->data(), call.gradient->TotalBytes());
    CpuExecutor executor(context);
    select_backward(data_of<T>(context->input(0)), data_of<T>(context->input(1)), call.state,
                    call.geometry, call.q_count, data_of<T>(call.gradient), executor);
    return absl::OkStatus();
  }
};

const bool registered = [] {
  register_floats<SelectOp, SelectGradOp>(kSelectOps, tensorflow::DEVICE_CPU);
  register_integers<SelectOp>(kSelectOps, tensorflow::DEVICE_CPU);
  return true;
}();

}  // namespace
}  // namespace tailops
