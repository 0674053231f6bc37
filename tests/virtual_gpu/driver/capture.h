#pragma once

// While a stream is captured, what it is given becomes a graph's nodes instead of being done.

#include <memory>
#include <thread>

#include "driver/event.h"
#include "driver/graph.h"
#include "driver/stream.h"

namespace virtual_gpu {

struct Capture {
  uint64_t id = 0;
  CUgraph graph_handle = nullptr;
  std::shared_ptr<Graph> graph;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  const Stream* origin = nullptr;  // where it began, and where it must end
  std::vector<std::weak_ptr<Stream>> streams;
  bool is_into_graph_of_program = false;
  bool is_invalid = false;
};

bool is_capturing(CUstream stream);

// What a call answers first that is not given to a stream, and so escapes a capture: such calls are
// forbidden while one goes on, unless its mode allows them; the capture is of no more use then.
CUresult ready_for_unsafe();
// A call that waits for a stream, or asks whether it is done.
CUresult check_synchronising(Stream& stream);
// A call that waits for all streams.
CUresult check_synchronising_all();

// Each sets whether the capture has taken what the stream was given.
CUresult capture_work(Stream& stream, const Work& work, bool& is_captured);
CUresult capture_record(Stream& stream, Event& event, bool& is_captured);
CUresult capture_wait(const std::shared_ptr<Stream>& stream, Event& event, bool& is_captured);
// An event that a capture has cannot be waited for by the host.
CUresult check_not_captured(Event& event);

CUresult begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode,
                       CUgraph graph, std::vector<Node*> dependencies);
CUresult end_capture(Stream& stream, CUgraph* graph);
void abandon_capture(Stream& stream);

}  // namespace virtual_gpu
