#include "driver/capture.h"

#include <algorithm>
#include <set>
#include <utility>

#include "driver/context.h"

namespace virtual_gpu {
namespace {

// Those that go on.
std::set<std::shared_ptr<Capture>>& captures() {
  static auto* const all = new std::set<std::shared_ptr<Capture>>;
  return *all;
}

CUstreamCaptureMode& mode_of_thread() {
  thread_local CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  return mode;
}

// Whether the thread may make a call that escapes the capture.
bool forbids(const Capture& capture) {
  if (mode_of_thread() == CU_STREAM_CAPTURE_MODE_RELAXED) return false;
  if (capture.thread == std::this_thread::get_id()) {
    return capture.mode != CU_STREAM_CAPTURE_MODE_RELAXED;
  }
  return mode_of_thread() == CU_STREAM_CAPTURE_MODE_GLOBAL &&
         capture.mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
}

bool has_blocking_stream(const Capture& capture) {
  return std::any_of(capture.streams.begin(), capture.streams.end(), [](const auto& weak) {
    const auto stream = weak.lock();
    return stream && stream->kind() == Stream::kBlocking;
  });
}

// What the legacy stream does would have to wait for blocking streams, captured ones as well.
CUresult check_legacy(const Stream& stream) {
  if (stream.kind() != Stream::kLegacy) return CUDA_SUCCESS;
  CUresult error = CUDA_SUCCESS;
  for (const auto& capture : captures()) {
    if (!has_blocking_stream(*capture)) continue;
    capture->is_invalid = true;
    error = CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  }
  return error;
}

void leave(const std::shared_ptr<Capture>& capture) {
  for (const auto& weak : capture->streams) {
    const auto stream = weak.lock();
    if (!stream || stream->capture != capture) continue;
    stream->capture = nullptr;
    stream->tails.clear();
  }
  captures().erase(capture);
}

// Whether what every stream was given comes before the end of the stream where the capture ends.
bool is_joined(const Capture& capture, const Stream& origin) {
  for (const auto& weak : capture.streams) {
    const auto stream = weak.lock();
    if (!stream || stream->capture.get() != &capture) continue;
    for (const Node* tail : stream->tails) {
      const bool is_found = std::any_of(origin.tails.begin(), origin.tails.end(),
                                        [tail](const Node* end) { return depends_on(end, tail); });
      if (!is_found) return false;
    }
  }
  return true;
}

void add_new(std::vector<Node*>& to, const std::vector<Node*>& from) {
  for (Node* node : from) {
    if (std::find(to.begin(), to.end(), node) == to.end()) to.push_back(node);
  }
}

}  // namespace

bool is_capturing(CUstream handle) {
  const std::lock_guard guard(graph_lock());
  const auto stream = stream_of(handle);
  return stream && stream->capture;
}

CUresult ready_for_unsafe() {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const std::lock_guard guard(graph_lock());
  CUresult error = CUDA_SUCCESS;
  for (const auto& capture : captures()) {
    if (!forbids(*capture)) continue;
    capture->is_invalid = true;
    error = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  return error;
}

CUresult check_synchronising(Stream& stream) {
  const std::lock_guard guard(graph_lock());
  if (!stream.capture) return check_legacy(stream);
  stream.capture->is_invalid = true;
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult check_synchronising_all() {
  const std::lock_guard guard(graph_lock());
  for (const auto& capture : captures()) capture->is_invalid = true;
  return captures().empty() ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult capture_work(Stream& stream, const Work& work, bool& is_captured) {
  const std::lock_guard guard(graph_lock());
  is_captured = static_cast<bool>(stream.capture);
  if (!is_captured) return check_legacy(stream);
  if (stream.capture->is_invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  stream.tails = {stream.capture->graph->add(work, stream.tails)};
  return CUDA_SUCCESS;
}

CUresult capture_record(Stream& stream, Event& event, bool& is_captured) {
  const std::lock_guard guard(graph_lock());
  is_captured = static_cast<bool>(stream.capture);
  if (!is_captured) return check_legacy(stream);
  if (stream.capture->is_invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  const std::lock_guard event_guard(event.lock);
  event.moment = nullptr;
  event.capture = stream.capture;
  event.tails = stream.tails;
  return CUDA_SUCCESS;
}

CUresult capture_wait(const std::shared_ptr<Stream>& stream, Event& event, bool& is_captured) {
  const std::lock_guard guard(graph_lock());
  const std::lock_guard event_guard(event.lock);
  // An event of a capture that has ended says nothing any more.
  const bool has_event = event.capture && captures().count(event.capture) != 0;
  is_captured = stream->capture || event.capture;
  if (!is_captured) return check_legacy(*stream);
  if (stream->capture && stream->capture->is_invalid) {
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  }
  if (!has_event) {
    if (!stream->capture) return CUDA_SUCCESS;
    stream->capture->is_invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  }
  if (event.capture->is_invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (stream->kind() == Stream::kLegacy) {
    event.capture->is_invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  }
  if (stream->capture && stream->capture != event.capture) {
    stream->capture->is_invalid = true;
    event.capture->is_invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_MERGE;
  }
  if (!stream->capture) {
    stream->capture = event.capture;
    event.capture->streams.push_back(stream);
  }
  add_new(stream->tails, event.tails);
  return CUDA_SUCCESS;
}

CUresult check_not_captured(Event& event) {
  const std::lock_guard guard(graph_lock());
  const std::lock_guard event_guard(event.lock);
  if (!event.capture) return CUDA_SUCCESS;
  event.capture->is_invalid = true;
  return CUDA_ERROR_CAPTURED_EVENT;
}

CUresult begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode,
                       CUgraph graph, std::vector<Node*> dependencies) {
  static uint64_t last_id = 0;
  const std::lock_guard guard(graph_lock());
  if (stream->kind() == Stream::kLegacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream->capture) return CUDA_ERROR_ILLEGAL_STATE;
  auto capture = std::make_shared<Capture>();
  capture->id = ++last_id;
  capture->is_into_graph_of_program = graph != nullptr;
  capture->graph = graph == nullptr ? std::make_shared<Graph>() : graphs().find(graph);
  capture->graph_handle = graph == nullptr ? graphs().add(capture->graph) : graph;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->origin = stream.get();
  capture->streams.push_back(stream);
  stream->capture = capture;
  stream->tails = std::move(dependencies);
  captures().insert(std::move(capture));
  return CUDA_SUCCESS;
}

CUresult end_capture(Stream& stream, CUgraph* graph) {
  const std::lock_guard guard(graph_lock());
  const std::shared_ptr<Capture> capture = stream.capture;
  *graph = nullptr;
  if (!capture) return CUDA_ERROR_ILLEGAL_STATE;
  CUresult error = CUDA_SUCCESS;
  if (capture->origin != &stream) {
    capture->is_invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  }
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
      capture->thread != std::this_thread::get_id()) {
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  }
  if (capture->is_invalid) {
    error = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  } else if (!is_joined(*capture, stream)) {
    error = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
  }
  leave(capture);
  if (error == CUDA_SUCCESS) {
    *graph = capture->graph_handle;
  } else if (!capture->is_into_graph_of_program) {
    graphs().remove(capture->graph_handle);
  }
  return error;
}

void abandon_capture(Stream& stream) {
  const std::lock_guard guard(graph_lock());
  if (!stream.capture) return;
  stream.capture->is_invalid = true;
  if (stream.capture->origin == &stream) leave(stream.capture);
}

}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  if (*mode > CU_STREAM_CAPTURE_MODE_RELAXED) return CUDA_ERROR_INVALID_VALUE;
  std::swap(*mode, mode_of_thread());
  return CUDA_SUCCESS;
}
