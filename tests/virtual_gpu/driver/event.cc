#include "driver/event.h"

#include "driver/capture.h"
#include "driver/context.h"
#include "driver/stream.h"
#include "machine/complaints.h"

namespace virtual_gpu {

Handles<Event, CUevent>& events() {
  static auto* const all = new Handles<Event, CUevent>;
  return *all;
}

namespace {

std::shared_ptr<Moment> moment_of(Event& event) {
  const std::lock_guard guard(event.lock);
  return event.moment;
}

CUresult record(CUevent handle, CUstream stream_handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto event = events().find(handle);
  const auto stream = stream_of(stream_handle);
  if (!event || !stream) return CUDA_ERROR_INVALID_HANDLE;
  bool is_captured = false;
  const CUresult error = capture_record(*stream, *event, is_captured);
  if (is_captured || error != CUDA_SUCCESS) return error;
  auto moment = std::make_shared<Moment>();
  {
    const std::lock_guard guard(event->lock);
    event->moment = moment;
    event->capture = nullptr;
  }
  enqueue(stream, [moment] { moment->come(); });
  return CUDA_SUCCESS;
}

CUresult wait(CUstream stream_handle, CUevent handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto event = events().find(handle);
  const auto stream = stream_of(stream_handle);
  if (!event || !stream) return CUDA_ERROR_INVALID_HANDLE;
  bool is_captured = false;
  const CUresult error = capture_wait(stream, *event, is_captured);
  if (is_captured || error != CUDA_SUCCESS) return error;
  const auto moment = moment_of(*event);
  if (moment) enqueue(stream, [moment] { moment->wait(); });
  return CUDA_SUCCESS;
}

CUresult only_default(unsigned flags, const char* what) {
  if (flags == 0) return CUDA_SUCCESS;
  complain(std::string(what) + ": flags " + std::to_string(flags) + " are not supported");
  return CUDA_ERROR_NOT_SUPPORTED;
}

// Of an event that the host asks about; an error if a capture has it.
CUresult find(CUevent handle, std::shared_ptr<Event>& event) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  event = events().find(handle);
  if (!event) return CUDA_ERROR_INVALID_HANDLE;
  return check_not_captured(*event);
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuEventCreate(CUevent* handle, unsigned flags) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  auto event = std::make_shared<Event>();
  event->flags = flags;
  *handle = events().add(std::move(event));
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuEventDestroy_v2(CUevent handle) {
  return events().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuEventRecord(CUevent event, CUstream stream) {
  return record(event, stream);
}

VIRTUAL_GPU_API CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags) {
  const CUresult error = only_default(flags, "cuEventRecordWithFlags");
  return error != CUDA_SUCCESS ? error : record(event, stream);
}

VIRTUAL_GPU_API CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags) {
  const CUresult error = only_default(flags, "cuStreamWaitEvent");
  return error != CUDA_SUCCESS ? error : wait(stream, event);
}

VIRTUAL_GPU_API CUresult cuEventQuery(CUevent handle) {
  std::shared_ptr<Event> event;
  if (const CUresult error = find(handle, event); error != CUDA_SUCCESS) return error;
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  const auto moment = moment_of(*event);
  if (moment && !moment->is_past()) return CUDA_ERROR_NOT_READY;
  return device_error();
}

VIRTUAL_GPU_API CUresult cuEventSynchronize(CUevent handle) {
  std::shared_ptr<Event> event;
  if (const CUresult error = find(handle, event); error != CUDA_SUCCESS) return error;
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  const auto moment = moment_of(*event);
  if (moment) moment->wait();
  return device_error();
}

VIRTUAL_GPU_API CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent begin, CUevent end) {
  std::shared_ptr<Event> both[2];
  std::shared_ptr<Moment> moments[2];
  for (const int i : {0, 1}) {
    if (const CUresult error = find(i == 0 ? begin : end, both[i]); error != CUDA_SUCCESS) {
      return error;
    }
    moments[i] = moment_of(*both[i]);
    if ((both[i]->flags & CU_EVENT_DISABLE_TIMING) != 0 || !moments[i]) {
      return CUDA_ERROR_INVALID_HANDLE;
    }
    if (!moments[i]->is_past()) return CUDA_ERROR_NOT_READY;
  }
  *milliseconds =
      std::chrono::duration<float, std::milli>(moments[1]->time() - moments[0]->time()).count();
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuEventElapsedTime(float* milliseconds, CUevent begin, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, begin, end);
}
