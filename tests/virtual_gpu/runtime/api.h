#pragma once

// What all files of the runtime begin with.

#include <cuda.h>
#include <cuda_runtime_api.h>

#define VIRTUAL_GPU_API extern "C" __attribute__((visibility("default")))

namespace virtual_gpu {

// The device's context becomes the thread's, as the first call of a thread makes it.
cudaError_t start();

// Remembers an error for cudaGetLastError. The driver's are the runtime's, by number.
cudaError_t note(cudaError_t error);
inline cudaError_t note(CUresult error) { return note(static_cast<cudaError_t>(error)); }

// What the function returns, in a thread that has the context.
template <typename Function>
cudaError_t started(Function function) {
  const cudaError_t error = start();
  return error != cudaSuccess ? note(error) : note(function());
}

inline CUdeviceptr address_of(const void* byte) { return reinterpret_cast<CUdeviceptr>(byte); }

// What cudaLaunchKernel and its like are given is a function of the host's.
cudaError_t function_of(const void* host, CUfunction* function);
cudaError_t variable_of(const void* host, CUdeviceptr* address, size_t* bytes);

}  // namespace virtual_gpu
