#include "runtime/api.h"
#include "runtime/properties.h"

namespace virtual_gpu {
namespace {

template <typename Properties>
CUresult properties_of(Properties& properties) {
  properties = {};
  CUresult error = cuDeviceGetName(properties.name, sizeof properties.name, 0);
  if (error == CUDA_SUCCESS) error = cuDeviceTotalMem(&properties.totalGlobalMem, 0);
  const auto get = [&error](CUdevice_attribute which) {
    int value = 0;
    if (error == CUDA_SUCCESS) error = cuDeviceGetAttribute(&value, which, 0);
    return value;
  };
  const auto get_size = [&get](CUdevice_attribute which) {
    return static_cast<size_t>(get(which));
  };
  properties.major = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  properties.minor = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  properties.multiProcessorCount = get(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  properties.warpSize = get(CU_DEVICE_ATTRIBUTE_WARP_SIZE);
  properties.maxThreadsPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  properties.maxThreadsPerMultiProcessor = get(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
  properties.maxBlocksPerMultiProcessor = get(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
  properties.sharedMemPerBlock = get_size(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
  properties.sharedMemPerBlockOptin =
      get_size(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  properties.sharedMemPerMultiprocessor =
      get_size(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
  properties.regsPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
  properties.regsPerMultiprocessor = get(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
  properties.l2CacheSize = get(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
  properties.memoryBusWidth = get(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
  properties.totalConstMem = get_size(CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY);
  properties.unifiedAddressing = get(CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING);
  properties.managedMemory = get(CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY);
  properties.memPitch = get_size(CU_DEVICE_ATTRIBUTE_MAX_PITCH);
  properties.textureAlignment = get_size(CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT);
  properties.concurrentKernels = get(CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS);
  properties.asyncEngineCount = get(CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT);
  properties.maxThreadsDim[0] = get(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X);
  properties.maxThreadsDim[1] = get(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y);
  properties.maxThreadsDim[2] = get(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z);
  properties.maxGridSize[0] = get(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X);
  properties.maxGridSize[1] = get(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y);
  properties.maxGridSize[2] = get(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z);
  return error;
}

cudaError_t check(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  return started([=] { return cuDeviceGetCount(count); });
}

VIRTUAL_GPU_API cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

VIRTUAL_GPU_API cudaError_t cudaSetDevice(int device) {
  if (check(device) != cudaSuccess) return note(check(device));
  return note(start());
}

VIRTUAL_GPU_API cudaError_t cudaSetDeviceFlags(unsigned) { return cudaSuccess; }

VIRTUAL_GPU_API cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int device) {
  if (check(device) != cudaSuccess) return note(check(device));
  return started(
      [=] { return cuDeviceGetAttribute(value, static_cast<CUdevice_attribute>(which), 0); });
}

VIRTUAL_GPU_API cudaError_t cudaDeviceSynchronize() {
  return started([] { return cuCtxSynchronize(); });
}

VIRTUAL_GPU_API cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return started([=] { return cuCtxGetStreamPriorityRange(least, greatest); });
}

VIRTUAL_GPU_API cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int) {
  *can = 0;
  return note(check(device));
}

VIRTUAL_GPU_API cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

VIRTUAL_GPU_API cudaError_t cudaDriverGetVersion(int* version) {
  return note(cuDriverGetVersion(version));
}

VIRTUAL_GPU_API cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (check(device) != cudaSuccess) return note(check(device));
  return started([=] { return properties_of(*properties); });
}

#if CUDART_VERSION >= 13000
// What a program of CUDA 12 calls by this name.
VIRTUAL_GPU_API cudaError_t cudaGetDeviceProperties_v2(PropertiesOfCuda12* properties, int device) {
  if (check(device) != cudaSuccess) return note(check(device));
  return started([=] { return properties_of(*properties); });
}
#endif
