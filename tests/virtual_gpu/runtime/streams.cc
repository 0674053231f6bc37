// Streams and events.

#include "runtime/api.h"

using namespace virtual_gpu;

VIRTUAL_GPU_API cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return started([=] { return cuStreamCreate(stream, CU_STREAM_DEFAULT); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return started([=] { return cuStreamCreate(stream, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags,
                                                         int priority) {
  return started([=] { return cuStreamCreateWithPriority(stream, flags, priority); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return started([=] { return cuStreamDestroy(stream); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return started([=] { return cuStreamSynchronize(stream); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return started([=] { return cuStreamQuery(stream); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned* flags) {
  return started([=] { return cuStreamGetFlags(stream, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  return started([=] { return cuStreamGetPriority(stream, priority); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                                unsigned flags) {
  return started([=] { return cuStreamWaitEvent(stream, event, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamAddCallback(cudaStream_t stream,
                                                  cudaStreamCallback_t callback, void* data,
                                                  unsigned flags) {
  // The two differ in how they call the same numbers.
  const auto function = reinterpret_cast<CUstreamCallback>(callback);
  return started([=] { return cuStreamAddCallback(stream, function, data, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return started([=] { return cuEventCreate(event, CU_EVENT_DEFAULT); });
}

VIRTUAL_GPU_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return started([=] { return cuEventCreate(event, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return started([=] { return cuEventRecord(event, stream); });
}

VIRTUAL_GPU_API cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream,
                                                     unsigned flags) {
  return started([=] { return cuEventRecordWithFlags(event, stream, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaEventQuery(cudaEvent_t event) {
  return started([=] { return cuEventQuery(event); });
}

VIRTUAL_GPU_API cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return started([=] { return cuEventSynchronize(event); });
}

VIRTUAL_GPU_API cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return started([=] { return cuEventDestroy(event); });
}

VIRTUAL_GPU_API cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin,
                                                 cudaEvent_t end) {
  return started([=] { return cuEventElapsedTime(milliseconds, begin, end); });
}
