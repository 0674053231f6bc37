#include "runtime.h"

#include <cstring>

namespace {

constexpr int kSharedMemory = 227 << 10;

cudaError_t noted(cudaError_t status) {
  if (status != cudaSuccess) runtime().last_error = status;
  return status;
}

}  // namespace

Runtime& runtime() {
  static Runtime one;
  return one;
}

extern "C" {

// What nvcc's code for the host calls.
void** __cudaRegisterFatBinary(void*) {
  static void* handle;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**) { return 0; }
void __cudaRegisterFunction(void**, const char* function, char*, const char*, int, void*, void*,
                            void*, void*, int*) {
  runtime().registered.insert(function);
}
unsigned __cudaPushCallConfiguration(dim3, dim3, size_t, void*) { return 0; }
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, size_t*, void*) { return cudaSuccess; }
cudaError_t __cudaGetKernel(void** kernel, const void* function) {
  *kernel = const_cast<void*>(function);
  return cudaSuccess;
}
cudaError_t __cudaLaunchKernel(void* kernel, dim3 blocks, dim3 threads, void** arguments,
                               size_t bytes, cudaStream_t stream) {
  return cudaLaunchKernel(kernel, blocks, threads, arguments, bytes, stream);
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = kSharedMemory;
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  std::memset(attributes, 0, sizeof(*attributes));
  runtime().loaded.insert(function);
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute, int bytes) {
  if (bytes == kSharedMemory) runtime().with_all_shared_memory.insert(function);
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void*, dim3, dim3, void**, size_t, cudaStream_t) {
  ++runtime().launches;
  return noted(runtime().status_of_launch);
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = runtime().last_error;
  runtime().last_error = cudaSuccess;
  return error;
}
const char* cudaGetErrorString(cudaError_t status) {
  return status == cudaErrorInvalidConfiguration ? "invalid configuration" : "another error";
}
}
