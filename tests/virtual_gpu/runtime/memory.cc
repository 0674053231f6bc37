#include "runtime/api.h"

namespace virtual_gpu {
namespace {

// As the program says that it is from where to where.
cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return started([=]() -> CUresult {
    switch (kind) {
      case cudaMemcpyHostToDevice:
        return cuMemcpyHtoD(address_of(to), from, bytes);
      case cudaMemcpyDeviceToHost:
        return cuMemcpyDtoH(to, address_of(from), bytes);
      case cudaMemcpyDeviceToDevice:
        return cuMemcpyDtoD(address_of(to), address_of(from), bytes);
      case cudaMemcpyHostToHost:
      case cudaMemcpyDefault:
        return cuMemcpy(address_of(to), address_of(from), bytes);
    }
    return static_cast<CUresult>(cudaErrorInvalidMemcpyDirection);
  });
}

cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                 cudaStream_t stream) {
  return started([=]() -> CUresult {
    switch (kind) {
      case cudaMemcpyHostToDevice:
        return cuMemcpyHtoDAsync(address_of(to), from, bytes, stream);
      case cudaMemcpyDeviceToHost:
        return cuMemcpyDtoHAsync(to, address_of(from), bytes, stream);
      case cudaMemcpyDeviceToDevice:
        return cuMemcpyDtoDAsync(address_of(to), address_of(from), bytes, stream);
      case cudaMemcpyHostToHost:
      case cudaMemcpyDefault:
        return cuMemcpyAsync(address_of(to), address_of(from), bytes, stream);
    }
    return static_cast<CUresult>(cudaErrorInvalidMemcpyDirection);
  });
}

cudaError_t find_variable(const void* host, size_t offset, size_t bytes, unsigned char*& first) {
  CUdeviceptr address = 0;
  size_t size = 0;
  const cudaError_t error = variable_of(host, &address, &size);
  if (error != cudaSuccess) return note(error);
  if (offset + bytes > size) return note(cudaErrorInvalidValue);
  first = reinterpret_cast<unsigned char*>(address) + offset;
  return cudaSuccess;
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return started([=] {
    // Nothing is what the runtime, unlike the driver, hands out where nothing is asked for.
    *memory = nullptr;
    return bytes == 0 ? CUDA_SUCCESS : cuMemAlloc(reinterpret_cast<CUdeviceptr*>(memory), bytes);
  });
}

VIRTUAL_GPU_API cudaError_t cudaMallocManaged(void** memory, size_t bytes, unsigned flags) {
  return started(
      [=] { return cuMemAllocManaged(reinterpret_cast<CUdeviceptr*>(memory), bytes, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaFree(void* memory) {
  return started([=] { return cuMemFree(address_of(memory)); });
}

VIRTUAL_GPU_API cudaError_t cudaMallocAsync(void** memory, size_t bytes, cudaStream_t stream) {
  return started(
      [=] { return cuMemAllocAsync(reinterpret_cast<CUdeviceptr*>(memory), bytes, stream); });
}

VIRTUAL_GPU_API cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  return started([=] { return cuMemFreeAsync(address_of(memory), stream); });
}

VIRTUAL_GPU_API cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return started([=] { return cuMemHostAlloc(memory, bytes, 0); });
}

VIRTUAL_GPU_API cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned flags) {
  return started([=] { return cuMemHostAlloc(memory, bytes, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaFreeHost(void* memory) {
  return started([=] { return memory == nullptr ? CUDA_SUCCESS : cuMemFreeHost(memory); });
}

VIRTUAL_GPU_API cudaError_t cudaHostRegister(void* memory, size_t bytes, unsigned flags) {
  return started([=] { return cuMemHostRegister(memory, bytes, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaHostUnregister(void* memory) {
  return started([=] { return cuMemHostUnregister(memory); });
}

VIRTUAL_GPU_API cudaError_t cudaHostGetFlags(unsigned* flags, void* memory) {
  return started([=] { return cuMemHostGetFlags(flags, memory); });
}

VIRTUAL_GPU_API cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return started([=] { return cuMemGetInfo(free, total); });
}

VIRTUAL_GPU_API cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes,
                                       cudaMemcpyKind kind) {
  return copy(to, from, bytes, kind);
}

VIRTUAL_GPU_API cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                                            cudaMemcpyKind kind, cudaStream_t stream) {
  return copy(to, from, bytes, kind, stream);
}

VIRTUAL_GPU_API cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  return started(
      [=] { return cuMemsetD8(address_of(memory), static_cast<unsigned char>(value), bytes); });
}

VIRTUAL_GPU_API cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes,
                                            cudaStream_t stream) {
  return started([=] {
    return cuMemsetD8Async(address_of(memory), static_cast<unsigned char>(value), bytes, stream);
  });
}

VIRTUAL_GPU_API cudaError_t cudaGetSymbolAddress(void** memory, const void* host) {
  unsigned char* first = nullptr;
  const cudaError_t error = find_variable(host, 0, 0, first);
  *memory = first;
  return error;
}

VIRTUAL_GPU_API cudaError_t cudaMemcpyToSymbol(const void* host, const void* from, size_t bytes,
                                               size_t offset, cudaMemcpyKind kind) {
  unsigned char* first = nullptr;
  const cudaError_t error = find_variable(host, offset, bytes, first);
  return error != cudaSuccess ? error : copy(first, from, bytes, kind);
}

VIRTUAL_GPU_API cudaError_t cudaMemcpyFromSymbol(void* to, const void* host, size_t bytes,
                                                 size_t offset, cudaMemcpyKind kind) {
  unsigned char* first = nullptr;
  const cudaError_t error = find_variable(host, offset, bytes, first);
  return error != cudaSuccess ? error : copy(to, first, bytes, kind);
}

VIRTUAL_GPU_API cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes,
                                                     const void* memory) {
  return started([=] {
    const CUdeviceptr address = address_of(memory);
    // Field by field: a program of another version of CUDA has no room for those that follow.
    attributes->type = cudaMemoryTypeUnregistered;
    attributes->device = -2;
    attributes->devicePointer = nullptr;
    attributes->hostPointer = const_cast<void*>(memory);
    unsigned type = 0, is_managed = 0;
    CUresult error = cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address);
    if (error == CUDA_ERROR_INVALID_VALUE) return CUDA_SUCCESS;  // memory of the program's own
    if (error == CUDA_SUCCESS) {
      error = cuPointerGetAttribute(&is_managed, CU_POINTER_ATTRIBUTE_IS_MANAGED, address);
    }
    const bool is_host = type == CU_MEMORYTYPE_HOST;
    attributes->type = is_managed != 0 ? cudaMemoryTypeManaged
                       : is_host       ? cudaMemoryTypeHost
                                       : cudaMemoryTypeDevice;
    attributes->device = 0;
    attributes->devicePointer = const_cast<void*>(memory);
    if (!is_host && is_managed == 0) attributes->hostPointer = nullptr;
    return error;
  });
}
