// Kernels: launched, and asked about.

#include <vector>

#include "runtime/api.h"

namespace virtual_gpu {
namespace {

// What stands between <<< and >>>, between the two calls that nvcc makes of it.
struct Configuration {
  dim3 grid, block;
  size_t bytes;
  cudaStream_t stream;
};

std::vector<Configuration>& configurations() {
  thread_local std::vector<Configuration> all;
  return all;
}

bool is_legal(dim3 grid, dim3 block) {
  return grid.x != 0 && grid.y != 0 && grid.z != 0 && block.x != 0 && block.y != 0 &&
         block.z != 0 && grid.x <= 2147483647 && grid.y <= 65535 && grid.z <= 65535 &&
         block.x <= 1024 && block.y <= 1024 && block.z <= 64 && block.x * block.y * block.z <= 1024;
}

cudaError_t launch(CUfunction function, dim3 grid, dim3 block, void** arguments, size_t bytes,
                   cudaStream_t stream) {
  if (!is_legal(grid, block)) return note(cudaErrorInvalidConfiguration);
  return note(cuLaunchKernel(function, grid.x, grid.y, grid.z, block.x, block.y, block.z,
                             static_cast<unsigned>(bytes), stream, arguments, nullptr));
}

template <typename Use>
cudaError_t with_function(const void* host, Use use) {
  CUfunction function = nullptr;
  const cudaError_t error = function_of(host, &function);
  return error != cudaSuccess ? note(error) : note(use(function));
}

CUresult attributes_of(CUfunction function, cudaFuncAttributes& attributes) {
  attributes = {};
  CUresult error = CUDA_SUCCESS;
  const auto get = [function, &error](CUfunction_attribute which) {
    int value = 0;
    if (error == CUDA_SUCCESS) error = cuFuncGetAttribute(&value, which, function);
    return value;
  };
  attributes.sharedSizeBytes = static_cast<size_t>(get(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
  attributes.localSizeBytes = static_cast<size_t>(get(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES));
  attributes.maxThreadsPerBlock = get(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  attributes.numRegs = get(CU_FUNC_ATTRIBUTE_NUM_REGS);
  attributes.ptxVersion = get(CU_FUNC_ATTRIBUTE_PTX_VERSION);
  attributes.binaryVersion = get(CU_FUNC_ATTRIBUTE_BINARY_VERSION);
  attributes.maxDynamicSharedSizeBytes = get(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  attributes.preferredShmemCarveout = get(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT);
  return error;
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t bytes,
                                                     cudaStream_t stream) {
  configurations().push_back({grid, block, bytes, stream});
  return 0;
}

VIRTUAL_GPU_API cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* bytes,
                                                       void* stream) {
  if (configurations().empty()) return note(cudaErrorMissingConfiguration);
  const Configuration& last = configurations().back();
  *grid = last.grid;
  *block = last.block;
  *bytes = last.bytes;
  *static_cast<cudaStream_t*>(stream) = last.stream;
  configurations().pop_back();
  return cudaSuccess;
}

VIRTUAL_GPU_API cudaError_t cudaLaunchKernel(const void* host, dim3 grid, dim3 block,
                                             void** arguments, size_t bytes, cudaStream_t stream) {
  CUfunction function = nullptr;
  const cudaError_t error = function_of(host, &function);
  return error != cudaSuccess ? note(error)
                              : launch(function, grid, block, arguments, bytes, stream);
}

VIRTUAL_GPU_API cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* host,
                                                void** arguments) {
  if (!is_legal(config->gridDim, config->blockDim)) return note(cudaErrorInvalidConfiguration);
  return with_function(host, [config, arguments](CUfunction function) {
    CUlaunchConfig all{};
    all.gridDimX = config->gridDim.x;
    all.gridDimY = config->gridDim.y;
    all.gridDimZ = config->gridDim.z;
    all.blockDimX = config->blockDim.x;
    all.blockDimY = config->blockDim.y;
    all.blockDimZ = config->blockDim.z;
    all.sharedMemBytes = static_cast<unsigned>(config->dynamicSmemBytes);
    all.hStream = config->stream;
    // The runtime's attributes are the driver's by another name.
    all.attrs = reinterpret_cast<CUlaunchAttribute*>(config->attrs);
    all.numAttrs = config->numAttrs;
    return cuLaunchKernelEx(&all, function, arguments, nullptr);
  });
}

VIRTUAL_GPU_API cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* host) {
  return with_function(host, [kernel](CUfunction function) {
    *kernel = reinterpret_cast<cudaKernel_t>(function);
    return CUDA_SUCCESS;
  });
}

VIRTUAL_GPU_API cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block,
                                               void** arguments, size_t bytes,
                                               cudaStream_t stream) {
  if (const cudaError_t error = start(); error != cudaSuccess) return note(error);
  return launch(reinterpret_cast<CUfunction>(kernel), grid, block, arguments, bytes, stream);
}

VIRTUAL_GPU_API cudaError_t cudaGetFuncBySymbol(cudaFunction_t* function, const void* host) {
  return with_function(host, [function](CUfunction found) {
    *function = found;
    return CUDA_SUCCESS;
  });
}

VIRTUAL_GPU_API cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function,
                                               void* data) {
  return started([=] { return cuLaunchHostFunc(stream, function, data); });
}

VIRTUAL_GPU_API cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes,
                                                  const void* host) {
  return with_function(
      host, [attributes](CUfunction function) { return attributes_of(function, *attributes); });
}

VIRTUAL_GPU_API cudaError_t cudaFuncSetAttribute(const void* host, cudaFuncAttribute which,
                                                 int value) {
  return with_function(host, [which, value](CUfunction function) {
    return cuFuncSetAttribute(function, static_cast<CUfunction_attribute>(which), value);
  });
}

VIRTUAL_GPU_API cudaError_t cudaFuncSetCacheConfig(const void* host, cudaFuncCache) {
  return with_function(host, [](CUfunction) { return CUDA_SUCCESS; });
}

VIRTUAL_GPU_API cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                                          const void* host,
                                                                          int threads,
                                                                          size_t bytes) {
  return with_function(host, [=](CUfunction function) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, bytes);
  });
}

VIRTUAL_GPU_API cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, const void* host, int threads, size_t bytes, unsigned) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, host, threads, bytes);
}
