#include "driver/launch.h"

#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "driver/context.h"
#include "driver/module.h"
#include "machine/complaints.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

constexpr int kSharedBytes = 48 << 10;  // what needs no attribute

bool can_run(const Kernel& kernel) {
  if (kernel.problem.empty()) return true;
  complain("the kernel " + kernel.name + " cannot be run: " + kernel.problem);
  return false;
}

CUresult check_shape(const Function& function, const Shape& shape) {
  for (const int i : {0, 1, 2}) {
    if (shape.grid[i] == 0 || shape.block[i] == 0) return CUDA_ERROR_INVALID_VALUE;
  }
  if (shape.grid[0] > 2147483647 || shape.grid[1] > 65535 || shape.grid[2] > 65535) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (shape.block[0] > 1024 || shape.block[1] > 1024 || shape.block[2] > 64) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const unsigned threads = shape.block[0] * shape.block[1] * shape.block[2];
  if (threads > 1024 || threads > static_cast<unsigned>(function.kernel->most_threads)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return shape.dynamic_bytes > static_cast<unsigned>(most_dynamic_bytes(function))
             ? CUDA_ERROR_INVALID_VALUE
             : CUDA_SUCCESS;
}

// Pairs of a key and what it is about.
CUresult take_buffer(const Kernel& kernel, void** extra, std::vector<unsigned char>& to) {
  const void* buffer = nullptr;
  size_t bytes = 0;
  for (; *extra != CU_LAUNCH_PARAM_END; extra += 2) {
    if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER) {
      buffer = extra[1];
    } else if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE) {
      bytes = *static_cast<size_t*>(extra[1]);
    } else {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  if (bytes < static_cast<size_t>(kernel.parameter_bytes)) return CUDA_ERROR_INVALID_VALUE;
  if (!to.empty()) std::memcpy(to.data(), buffer, to.size());
  return CUDA_SUCCESS;
}

CUresult take_arguments(const Kernel& kernel, void** arguments, void** extra,
                        std::vector<unsigned char>& to) {
  to.resize(static_cast<size_t>(kernel.parameter_bytes));
  if (arguments != nullptr && extra != nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (extra != nullptr) return take_buffer(kernel, extra, to);
  if (arguments == nullptr) {
    return kernel.parameters.empty() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  }
  for (size_t i = 0; i < kernel.parameters.size(); ++i) {
    if (arguments[i] == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(to.data() + kernel.parameters[i].offset, arguments[i],
                static_cast<size_t>(kernel.parameters[i].bytes));
  }
  return CUDA_SUCCESS;
}

CUresult check_attribute(const CUlaunchAttribute& attribute) {
  switch (attribute.id) {
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    // A kernel that may begin before the one in front of it ends need not.
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
      return CUDA_SUCCESS;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION: {
      const auto& of = attribute.value.clusterDim;
      if (of.x * of.y * of.z == 1) return CUDA_SUCCESS;
      break;
    }
    default:
      break;
  }
  complain("a launch with the attribute " + std::to_string(attribute.id) + ", which is not known");
  return CUDA_ERROR_NOT_SUPPORTED;
}

CUresult launch(CUfunction function, const Shape& shape, void** arguments, void** extra,
                CUstream stream) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  KernelWork work;
  const CUresult error = launch_of(function, shape, arguments, extra, work);
  return error != CUDA_SUCCESS ? error : add_work(stream, std::move(work));
}

}  // namespace

int most_dynamic_bytes(const Function& function) {
  if (function.most_dynamic_bytes >= 0) return function.most_dynamic_bytes;
  return kSharedBytes - function.kernel->shared_bytes;
}

CUresult launch_of(CUfunction handle, const Shape& shape, void** arguments, void** extra,
                   KernelWork& work) {
  work.function = function_of(handle);
  if (!work.function) return CUDA_ERROR_INVALID_HANDLE;
  const Kernel& kernel = *work.function->kernel;
  if (!can_run(kernel)) return CUDA_ERROR_INVALID_PTX;
  if (const CUresult error = check_shape(*work.function, shape); error != CUDA_SUCCESS) {
    return error;
  }
  std::memcpy(work.launch.grid, shape.grid, sizeof shape.grid);
  std::memcpy(work.launch.block, shape.block, sizeof shape.block);
  work.launch.dynamic_bytes = shape.dynamic_bytes;
  return take_arguments(kernel, arguments, extra, work.launch.arguments);
}

void perform_launch(const Function& function, const Launch& launch) {
  using Clock = std::chrono::steady_clock;
  const std::lock_guard guard(device_lock());
  const Kernel& kernel = *function.kernel;
  if (!can_run(kernel)) return set_error(CUDA_ERROR_INVALID_PTX);  // edited since
  const auto begin = Clock::now();
  const std::optional<Fault> fault = run(kernel, launch);
  say("%.150s: grid %u %u %u, block %u %u %u, %zu bytes, %.3f s", kernel.name.c_str(),
      launch.grid[0], launch.grid[1], launch.grid[2], launch.block[0], launch.block[1],
      launch.block[2], launch.dynamic_bytes,
      std::chrono::duration<double>(Clock::now() - begin).count());
  if (!fault) return;
  complain(fault->what);
  set_error(error_of(*fault));
}

}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                                        unsigned grid_z, unsigned block_x, unsigned block_y,
                                        unsigned block_z, unsigned dynamic_bytes, CUstream stream,
                                        void** arguments, void** extra) {
  const Shape shape{{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, dynamic_bytes};
  return launch(function, shape, arguments, extra, stream);
}

VIRTUAL_GPU_API CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function,
                                          void** arguments, void** extra) {
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const CUresult error = check_attribute(config->attrs[i]);
    if (error != CUDA_SUCCESS) return error;
  }
  const Shape shape{{config->gridDimX, config->gridDimY, config->gridDimZ},
                    {config->blockDimX, config->blockDimY, config->blockDimZ},
                    config->sharedMemBytes};
  return launch(function, shape, arguments, extra, config->hStream);
}
