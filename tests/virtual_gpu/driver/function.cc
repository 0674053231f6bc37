// What a kernel says of itself, and what may be set for it.

#include <algorithm>
#include <string>

#include "driver/api.h"
#include "driver/context.h"
#include "driver/device.h"
#include "driver/launch.h"
#include "driver/module.h"
#include "machine/complaints.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

// Registers are what ptxas makes of a kernel, which nobody asks here: a number that fits.
constexpr int kRegisters = 64;

CUresult attribute(int* value, CUfunction_attribute which, CUfunction handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto function = function_of(handle);
  if (!function) return CUDA_ERROR_INVALID_HANDLE;
  const Kernel& kernel = *function->kernel;
  switch (which) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      *value = std::min(1024, kernel.most_threads);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      *value = kernel.shared_bytes;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
      *value = kernel.local_bytes;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_NUM_REGS:
      *value = kRegisters;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      *value = most_dynamic_bytes(*function);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
      *value = static_cast<int>(settings().capability);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
    case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
    case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      *value = 0;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      *value = -1;
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult set_attribute(CUfunction handle, CUfunction_attribute which, int value) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto function = function_of(handle);
  if (!function) return CUDA_ERROR_INVALID_HANDLE;
  switch (which) {
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      if (value < 0 || value + function->kernel->shared_bytes > most_shared_bytes()) {
        return CUDA_ERROR_INVALID_VALUE;
      }
      function->most_dynamic_bytes = value;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

// By threads, blocks and shared memory; registers are not known.
CUresult resident_blocks(int* blocks, CUfunction handle, int threads, size_t dynamic_bytes) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto function = function_of(handle);
  if (!function) return CUDA_ERROR_INVALID_HANDLE;
  if (threads <= 0) return CUDA_ERROR_INVALID_VALUE;
  const int rounded = (threads + 31) / 32 * 32;
  int most = std::min(32, 2048 / rounded);
  const int shared = function->kernel->shared_bytes + static_cast<int>(dynamic_bytes);
  if (shared > 0) most = std::min(most, most_shared_bytes() / shared);
  *blocks = threads > function->kernel->most_threads ? 0 : most;
  return CUDA_SUCCESS;
}

CUresult name(const char** text, CUfunction handle) {
  const auto function = function_of(handle);
  if (!function) return CUDA_ERROR_INVALID_HANDLE;
  *text = function->kernel->name.c_str();
  return CUDA_SUCCESS;
}

// A kernel of a library can be given where a function is expected, so they are the same.
CUfunction as_function(CUkernel kernel) { return reinterpret_cast<CUfunction>(kernel); }

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
  *function = as_function(kernel);
  return function_of(*function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuKernelGetName(const char** text, CUkernel kernel) {
  return name(text, as_function(kernel));
}

VIRTUAL_GPU_API CUresult cuFuncGetName(const char** text, CUfunction function) {
  return name(text, function);
}

VIRTUAL_GPU_API CUresult cuFuncGetModule(CUmodule* module, CUfunction handle) {
  const auto function = function_of(handle);
  if (!function) return CUDA_ERROR_INVALID_HANDLE;
  *module = function->module->handle;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuFuncLoad(CUfunction function) {
  return function_of(function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuFuncIsLoaded(CUfunctionLoadingState* state, CUfunction function) {
  *state = CU_FUNCTION_LOADING_STATE_LOADED;
  return cuFuncLoad(function);
}

VIRTUAL_GPU_API CUresult cuFuncGetAttribute(int* value, CUfunction_attribute which,
                                            CUfunction function) {
  return attribute(value, which, function);
}

VIRTUAL_GPU_API CUresult cuKernelGetAttribute(int* value, CUfunction_attribute which,
                                              CUkernel kernel, CUdevice) {
  return attribute(value, which, as_function(kernel));
}

VIRTUAL_GPU_API CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute which,
                                            int value) {
  return set_attribute(function, which, value);
}

VIRTUAL_GPU_API CUresult cuKernelSetAttribute(CUfunction_attribute which, int value,
                                              CUkernel kernel, CUdevice) {
  return set_attribute(as_function(kernel), which, value);
}

VIRTUAL_GPU_API CUresult cuFuncSetCacheConfig(CUfunction function, CUfunc_cache) {
  return cuFuncLoad(function);
}

VIRTUAL_GPU_API CUresult cuKernelSetCacheConfig(CUkernel kernel, CUfunc_cache, CUdevice) {
  return cuFuncLoad(as_function(kernel));
}

VIRTUAL_GPU_API CUresult cuFuncGetParamInfo(CUfunction handle, size_t index, size_t* offset,
                                            size_t* bytes) {
  const auto function = function_of(handle);
  if (!function) return CUDA_ERROR_INVALID_HANDLE;
  if (index >= function->kernel->parameters.size()) return CUDA_ERROR_INVALID_VALUE;
  const Parameter& parameter = function->kernel->parameters[index];
  *offset = static_cast<size_t>(parameter.offset);
  if (bytes != nullptr) *bytes = static_cast<size_t>(parameter.bytes);
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t* offset,
                                              size_t* bytes) {
  return cuFuncGetParamInfo(as_function(kernel), index, offset, bytes);
}

VIRTUAL_GPU_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                                     CUfunction function,
                                                                     int threads,
                                                                     size_t dynamic_bytes) {
  return resident_blocks(blocks, function, threads, dynamic_bytes);
}

VIRTUAL_GPU_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, CUfunction function, int threads, size_t dynamic_bytes, unsigned) {
  return resident_blocks(blocks, function, threads, dynamic_bytes);
}

VIRTUAL_GPU_API CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* block,
                                                          CUfunction function,
                                                          CUoccupancyB2DSize dynamic_bytes_of,
                                                          size_t dynamic_bytes, int limit) {
  int most = 0;
  const CUresult error = attribute(&most, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, function);
  if (error != CUDA_SUCCESS) return error;
  *block = limit > 0 ? std::min(limit, most) : most;
  if (dynamic_bytes_of != nullptr) dynamic_bytes = dynamic_bytes_of(*block);
  int resident = 0;
  resident_blocks(&resident, function, *block, dynamic_bytes);
  *grid = resident * static_cast<int>(settings().multiprocessors);
  return CUDA_SUCCESS;
}
