#pragma once

// What the ops' kernels on NVIDIA GPUs need of TensorFlow. No CUDA header: the stream is a pointer,
// and what CUDA needs is inside libtailops_cuda.

#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"
#include "xla/stream_executor/stream.h"

namespace tailops {

inline void* stream_of(tensorflow::OpKernelContext* context) {
  return context->op_device_context()->stream()->platform_specific_handle().stream;
}

// body(workspace) with so many bytes of it, which the device's allocator hands out in the order of
// the stream.
template <typename Body>
absl::Status with_workspace(tensorflow::OpKernelContext* context, int64_t bytes, const Body& body) {
  tensorflow::Tensor workspace;
  TF_RETURN_IF_ERROR(
      context->allocate_temp(tensorflow::DT_UINT8, tensorflow::TensorShape({bytes}), &workspace));
  body(workspace.data());
  return absl::OkStatus();
}

}  // namespace tailops
