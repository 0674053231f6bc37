#include <string>
#include <utility>

#include "driver/error_texts.h"
#include "runtime/api.h"
#include "runtime_error_names.h"  // of driver_types.h, by generate.py

// The driver keeps the complaints.
extern "C" void virtual_gpu_complain(const char* what);

namespace virtual_gpu {

// What the stubs call.
int not_supported(const char* name);

int not_supported(const char* name) {
  virtual_gpu_complain((std::string(name) + " is not there").c_str());
  return note(cudaErrorNotSupported);
}

namespace {

thread_local cudaError_t last_error = cudaSuccess;

constexpr char kUnknown[] = "unrecognized error code";

}  // namespace

cudaError_t note(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t start() {
  CUcontext context = nullptr;
  CUresult error = cuInit(0);
  if (error == CUDA_SUCCESS) error = cuCtxGetCurrent(&context);
  if (error == CUDA_SUCCESS && context == nullptr) {
    error = cuDevicePrimaryCtxRetain(&context, 0);
    if (error == CUDA_SUCCESS) error = cuCtxSetCurrent(context);
  }
  return static_cast<cudaError_t>(error);
}

}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

VIRTUAL_GPU_API cudaError_t cudaPeekAtLastError() { return last_error; }

VIRTUAL_GPU_API const char* cudaGetErrorString(cudaError_t error) {
  const char* const text = text_of_error(error);
  return text == nullptr ? kUnknown : text;
}

VIRTUAL_GPU_API const char* cudaGetErrorName(cudaError_t error) {
  for (const auto& [known, name] : kErrorNames) {
    if (known == error) return name;
  }
  return kUnknown;
}
