// What nvcc's host code says when a program or a library is loaded: which images there are, and
// which of the host's functions and variables stand for those of the device.

#include <map>
#include <mutex>
#include <string>

#include "runtime/api.h"

namespace virtual_gpu {
namespace {

struct Image {
  const void* data = nullptr;
  CUmodule module = nullptr;
};

struct Named {
  Image* image = nullptr;
  std::string name;
  CUfunction function = nullptr;
};

struct Registered {
  std::mutex lock;
  std::map<const void*, Named> functions, variables;
};

// Never destroyed: libraries are unloaded after this one's destructors have run.
Registered& registered() {
  static auto* const all = new Registered;
  return *all;
}

Image* image_of(void** handle) { return reinterpret_cast<Image*>(handle); }

// When it is first needed.
cudaError_t load(Image& image) {
  if (image.module != nullptr) return cudaSuccess;
  if (const cudaError_t error = start(); error != cudaSuccess) return error;
  // A program may be capturing: it does not know when its images are loaded.
  auto mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  cuThreadExchangeStreamCaptureMode(&mode);
  const CUresult error = cuModuleLoadData(&image.module, image.data);
  cuThreadExchangeStreamCaptureMode(&mode);
  return static_cast<cudaError_t>(error);
}

void forget(std::map<const void*, Named>& named, const Image* image) {
  std::erase_if(named, [image](const auto& entry) { return entry.second.image == image; });
}

}  // namespace

cudaError_t function_of(const void* host, CUfunction* function) {
  const std::lock_guard guard(registered().lock);
  const auto found = registered().functions.find(host);
  if (found == registered().functions.end()) return cudaErrorInvalidDeviceFunction;
  Named& named = found->second;
  if (const cudaError_t error = load(*named.image); error != cudaSuccess) return error;
  if (named.function == nullptr) {
    const CUresult error =
        cuModuleGetFunction(&named.function, named.image->module, named.name.c_str());
    if (error == CUDA_ERROR_NOT_FOUND) return cudaErrorInvalidDeviceFunction;
    if (error != CUDA_SUCCESS) return static_cast<cudaError_t>(error);
  }
  *function = named.function;
  return cudaSuccess;
}

cudaError_t variable_of(const void* host, CUdeviceptr* address, size_t* bytes) {
  const std::lock_guard guard(registered().lock);
  const auto found = registered().variables.find(host);
  if (found == registered().variables.end()) return cudaErrorInvalidSymbol;
  Named& named = found->second;
  if (const cudaError_t error = load(*named.image); error != cudaSuccess) return error;
  const CUresult error = cuModuleGetGlobal(address, bytes, named.image->module, named.name.c_str());
  if (error == CUDA_ERROR_NOT_FOUND) return cudaErrorInvalidSymbol;
  return static_cast<cudaError_t>(error);
}

}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API void** __cudaRegisterFatBinary(void* data) {
  auto* const image = new Image;
  image->data = data;
  return reinterpret_cast<void**>(image);
}

VIRTUAL_GPU_API void __cudaRegisterFatBinaryEnd(void**) {}

VIRTUAL_GPU_API void __cudaUnregisterFatBinary(void** handle) {
  const std::lock_guard guard(registered().lock);
  Image* const image = image_of(handle);
  forget(registered().functions, image);
  forget(registered().variables, image);
  if (image->module != nullptr) cuModuleUnload(image->module);
  delete image;
}

VIRTUAL_GPU_API char __cudaInitModule(void** handle) {
  const std::lock_guard guard(registered().lock);
  return load(*image_of(handle)) == cudaSuccess ? 1 : 0;
}

VIRTUAL_GPU_API void __cudaRegisterFunction(void** handle, const char* host, char*,
                                            const char* name, int, uint3*, uint3*, dim3*, dim3*,
                                            int*) {
  const std::lock_guard guard(registered().lock);
  registered().functions[host] = {image_of(handle), name, nullptr};
}

VIRTUAL_GPU_API void __cudaRegisterVar(void** handle, char* host, char*, const char* name, int,
                                       size_t, int, int) {
  const std::lock_guard guard(registered().lock);
  registered().variables[host] = {image_of(handle), name, nullptr};
}
