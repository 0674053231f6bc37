#include "driver/context.h"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "driver/stream.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

std::atomic<bool> is_initialised{false};
std::atomic<int> error{CUDA_SUCCESS};

thread_local bool is_in_host_function = false;

// There is one context, the device's primary one, which cuCtxCreate hands out as well.
int context_storage;

// How often the thread has put it on its stack. A number, which is still there when a thread's
// objects are destroyed and the images of its libraries are unloaded.
thread_local unsigned depth = 0;

// CUDA_VISIBLE_DEVICES lists devices by their numbers, up to the first that there is not.
bool is_visible() {
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr) return true;
  const std::string_view first = std::string_view(visible).substr(0, std::strcspn(visible, ","));
  return first == "0";
}

CUresult initialised() { return is_initialised ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED; }

CUresult check_device(CUdevice device) {
  if (!is_initialised) return CUDA_ERROR_NOT_INITIALIZED;
  return device == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

}  // namespace

InHostFunction::InHostFunction() { is_in_host_function = true; }

InHostFunction::~InHostFunction() { is_in_host_function = false; }

CUresult ready() {
  if (!is_initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (is_in_host_function) return CUDA_ERROR_NOT_PERMITTED;
  if (depth == 0) return CUDA_ERROR_INVALID_CONTEXT;
  return device_error();
}

void set_error(CUresult what) {
  int none = CUDA_SUCCESS;
  error.compare_exchange_strong(none, what);
}

CUresult device_error() { return static_cast<CUresult>(error.load()); }

void clear_error() { error = CUDA_SUCCESS; }

CUresult error_of(const Fault& fault) {
  switch (fault.kind) {
    case Fault::kIllegalAddress:
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    case Fault::kMisalignedAddress:
      return CUDA_ERROR_MISALIGNED_ADDRESS;
    case Fault::kIllegalInstruction:
      return CUDA_ERROR_ILLEGAL_INSTRUCTION;
    case Fault::kTrap:
      return CUDA_ERROR_LAUNCH_FAILED;
    case Fault::kTimeout:
      return CUDA_ERROR_LAUNCH_TIMEOUT;
  }
  return CUDA_ERROR_UNKNOWN;
}

CUcontext the_context() { return reinterpret_cast<CUcontext>(&context_storage); }

bool is_context(CUcontext context) { return context == the_context(); }

std::mutex& device_lock() {
  static auto* const one = new std::mutex;
  return *one;
}

void say(const char* format, ...) {
  if (settings().log == 0) return;
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "virtual GPU, log: %s\n", text);
}

}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuInit(unsigned flags) {
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  if (!is_visible()) return CUDA_ERROR_NO_DEVICE;
  is_initialised = true;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  if (const CUresult error = check_device(device); error != CUDA_SUCCESS) return error;
  *context = the_context();
  return device_error();
}

VIRTUAL_GPU_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return check_device(device);
}

VIRTUAL_GPU_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
  return check_device(device);
}

VIRTUAL_GPU_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  if (const CUresult error = check_device(device); error != CUDA_SUCCESS) return error;
  *flags = 0;
  *active = 1;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuCtxCreate_v2(CUcontext* context, unsigned, CUdevice device) {
  if (const CUresult error = check_device(device); error != CUDA_SUCCESS) return error;
  *context = the_context();
  ++depth;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuCtxDestroy_v2(CUcontext context) {
  if (!is_context(context)) return CUDA_ERROR_INVALID_CONTEXT;
  if (depth > 0) --depth;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuCtxGetCurrent(CUcontext* context) {
  *context = depth == 0 ? nullptr : the_context();
  return initialised();
}

VIRTUAL_GPU_API CUresult cuCtxSetCurrent(CUcontext context) {
  if (!is_initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (context != nullptr && !is_context(context)) return CUDA_ERROR_INVALID_CONTEXT;
  if (depth > 0) --depth;
  if (context != nullptr) ++depth;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuCtxPushCurrent_v2(CUcontext context) {
  if (!is_initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (!is_context(context)) return CUDA_ERROR_INVALID_CONTEXT;
  ++depth;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  if (depth == 0) return CUDA_ERROR_INVALID_CONTEXT;
  if (context != nullptr) *context = the_context();
  --depth;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuCtxGetDevice(CUdevice* device) {
  if (depth == 0) return CUDA_ERROR_INVALID_CONTEXT;
  *device = 0;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuCtxGetFlags(unsigned* flags) {
  *flags = 0;
  return ready();
}

VIRTUAL_GPU_API CUresult cuCtxGetApiVersion(CUcontext, unsigned* version) {
  *version = 3020;
  return initialised();
}

VIRTUAL_GPU_API CUresult cuCtxGetId(CUcontext, unsigned long long* id) {
  *id = 1;
  return initialised();
}

VIRTUAL_GPU_API CUresult cuCtxSetLimit(CUlimit, size_t) { return ready(); }

VIRTUAL_GPU_API CUresult cuCtxSetCacheConfig(CUfunc_cache) { return ready(); }

VIRTUAL_GPU_API CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;
  return ready();
}
