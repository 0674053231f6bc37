#pragma once

// What all files of the driver begin with: NVIDIA's header, in the form in which it declares every
// version of an entry point, so that each definition is checked against its declaration.

#define __CUDA_API_VERSION_INTERNAL
#include <cuda.h>

#define VIRTUAL_GPU_API extern "C" __attribute__((visibility("default")))

namespace virtual_gpu {

inline unsigned char* bytes_at(CUdeviceptr address) {
  return reinterpret_cast<unsigned char*>(address);
}

inline CUdeviceptr address_of(const void* byte) { return reinterpret_cast<CUdeviceptr>(byte); }

}  // namespace virtual_gpu
