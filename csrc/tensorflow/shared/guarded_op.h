#pragma once

// Kernels whose making and computing may throw.

#include <memory>
#include <string>

#include "tensorflow/core/framework/kernel_def_builder.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/types.h"
#include "tensorflow/shared/status.h"

namespace tailops {

class GuardedOp : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(tensorflow::OpKernelContext* context) final {
    OP_REQUIRES_OK(context, status_of(
                                type_string(), [&] { return compute(context); },
                                [&] { return "for inputs " + described(*context); }));
  }

 protected:
  virtual absl::Status compute(tensorflow::OpKernelContext* context) const = 0;

 private:
  // "float[3], bool[3]"
  static std::string described(tensorflow::OpKernelContext& context) {
    std::string text;
    for (int i = 0; i < context.num_inputs(); ++i) {
      text += (i == 0 ? "" : ", ") + tensorflow::DataTypeString(context.input_dtype(i)) +
              context.input(i).shape().DebugString();
    }
    return text;
  }
};

template <typename Kernel>
tensorflow::OpKernel* create_kernel(tensorflow::OpKernelConstruction* context) {
  std::unique_ptr<tensorflow::OpKernel> kernel;
  const absl::Status status = status_of(context->def().op(), [&] {
    kernel = std::make_unique<Kernel>(context);
    return absl::OkStatus();
  });
  if (!status.ok()) context->CtxFailure(status);
  return kernel.release();
}

// As REGISTER_KERNEL_BUILDER, whose `new` lets out what is thrown.
template <typename Kernel>
void register_kernel(tensorflow::KernelDefBuilder& builder) {
  const tensorflow::KernelDef* const definition = builder.Build();
  tensorflow::kernel_factory::OpKernelRegistrar(definition, definition->op(),
                                                create_kernel<Kernel>);
}

}  // namespace tailops
