// Streams, as a program makes them and waits for them.

#include "driver/capture.h"
#include "driver/context.h"
#include "driver/stream.h"
#include "driver/work.h"

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuStreamCreateWithPriority(CUstream* handle, unsigned flags,
                                                    int priority) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (flags > CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
  const auto kind = flags == CU_STREAM_NON_BLOCKING ? Stream::kNonBlocking : Stream::kBlocking;
  *handle = streams().add(std::make_shared<Stream>(kind, priority));
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuStreamCreate(CUstream* handle, unsigned flags) {
  return cuStreamCreateWithPriority(handle, flags, 0);
}

VIRTUAL_GPU_API CUresult cuStreamDestroy_v2(CUstream handle) {
  const auto stream = streams().find(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  abandon_capture(*stream);
  return close_stream(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuStreamSynchronize(CUstream handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (const CUresult error = check_synchronising(*stream); error != CUDA_SUCCESS) return error;
  wait_for(stream);
  return device_error();
}

VIRTUAL_GPU_API CUresult cuStreamQuery(CUstream handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (const CUresult error = check_synchronising(*stream); error != CUDA_SUCCESS) return error;
  return is_done(stream) ? device_error() : CUDA_ERROR_NOT_READY;
}

VIRTUAL_GPU_API CUresult cuCtxSynchronize() {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (const CUresult error = check_synchronising_all(); error != CUDA_SUCCESS) return error;
  wait_for_all();
  return device_error();
}

VIRTUAL_GPU_API CUresult cuStreamGetPriority(CUstream handle, int* priority) {
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  *priority = stream->priority();
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuStreamGetFlags(CUstream handle, unsigned* flags) {
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  *flags = stream->kind() == Stream::kNonBlocking ? CU_STREAM_NON_BLOCKING : CU_STREAM_DEFAULT;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
  *context = the_context();
  return stream_of(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuStreamGetId(CUstream handle, unsigned long long* id) {
  *id = reinterpret_cast<uintptr_t>(handle);
  return stream_of(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void* data) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (function == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return add_work(stream, HostWork{function, data});
}

// Unlike a host function it is called after an error as well, and no graph can hold it.
VIRTUAL_GPU_API CUresult cuStreamAddCallback(CUstream handle, CUstreamCallback callback, void* data,
                                             unsigned flags) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (callback == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (const CUresult error = check_synchronising(*stream); error != CUDA_SUCCESS) return error;
  enqueue(stream, [=] {
    const InHostFunction scope;
    callback(handle, device_error(), data);
  });
  return CUDA_SUCCESS;
}
