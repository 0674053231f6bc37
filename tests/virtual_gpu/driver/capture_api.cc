// Captures, as a program begins them, ends them and asks about them.

#include <utility>

#include "driver/capture.h"
#include "driver/context.h"
#include "machine/complaints.h"

namespace virtual_gpu {
namespace {

struct Asked {
  CUstreamCaptureStatus* status = nullptr;
  cuuint64_t* id = nullptr;
  CUgraph* graph = nullptr;
  const CUgraphNode** dependencies = nullptr;
  const CUgraphEdgeData** edges = nullptr;
  size_t* count = nullptr;
};

CUstreamCaptureStatus status_of(const Stream& stream) {
  if (!stream.capture) return CU_STREAM_CAPTURE_STATUS_NONE;
  return stream.capture->is_invalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                    : CU_STREAM_CAPTURE_STATUS_ACTIVE;
}

CUresult ask(CUstream handle, const Asked& asked) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  const std::lock_guard guard(graph_lock());
  *asked.status = status_of(*stream);
  if (*asked.status != CU_STREAM_CAPTURE_STATUS_ACTIVE) return CUDA_SUCCESS;
  if (asked.id != nullptr) *asked.id = stream->capture->id;
  if (asked.graph != nullptr) *asked.graph = stream->capture->graph_handle;
  if (asked.dependencies != nullptr) {
    // The program reads them before it gives the stream anything else.
    thread_local std::vector<CUgraphNode> handles;
    handles.clear();
    for (const Node* node : stream->tails) handles.push_back(node->handle);
    *asked.dependencies = handles.data();
  }
  if (asked.edges != nullptr) *asked.edges = nullptr;
  if (asked.count != nullptr) *asked.count = stream->tails.size();
  return CUDA_SUCCESS;
}

CUresult nodes_of(const CUgraphNode* handles, size_t count, std::vector<Node*>& nodes) {
  for (size_t i = 0; i < count; ++i) {
    Node* const node = node_of(handles[i]);
    if (node == nullptr) return CUDA_ERROR_INVALID_VALUE;
    nodes.push_back(node);
  }
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  return begin_capture(stream, mode, nullptr, {});
}

VIRTUAL_GPU_API CUresult cuStreamBeginCaptureToGraph(CUstream handle, CUgraph graph,
                                                     const CUgraphNode* dependencies,
                                                     const CUgraphEdgeData* edges, size_t count,
                                                     CUstreamCaptureMode mode) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (!graphs().find(graph)) return CUDA_ERROR_INVALID_VALUE;
  if (edges != nullptr) {
    complain("cuStreamBeginCaptureToGraph: edges with data are not supported");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  std::vector<Node*> nodes;
  const CUresult error = nodes_of(dependencies, count, nodes);
  return error != CUDA_SUCCESS ? error : begin_capture(stream, mode, graph, std::move(nodes));
}

VIRTUAL_GPU_API CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  return stream ? end_capture(*stream, graph) : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  Asked asked;
  asked.status = status;
  return ask(stream, asked);
}

VIRTUAL_GPU_API CUresult cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus* status,
                                                   cuuint64_t* id, CUgraph* graph,
                                                   const CUgraphNode** dependencies,
                                                   size_t* count) {
  return ask(stream, {status, id, graph, dependencies, nullptr, count});
}

VIRTUAL_GPU_API CUresult cuStreamGetCaptureInfo_v3(CUstream stream, CUstreamCaptureStatus* status,
                                                   cuuint64_t* id, CUgraph* graph,
                                                   const CUgraphNode** dependencies,
                                                   const CUgraphEdgeData** edges, size_t* count) {
  return ask(stream, {status, id, graph, dependencies, edges, count});
}

VIRTUAL_GPU_API CUresult cuStreamUpdateCaptureDependencies_v2(CUstream handle,
                                                              CUgraphNode* dependencies,
                                                              const CUgraphEdgeData* edges,
                                                              size_t count, unsigned flags) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  const std::lock_guard guard(graph_lock());
  if (!stream->capture) return CUDA_ERROR_ILLEGAL_STATE;
  if (edges != nullptr) {
    complain("cuStreamUpdateCaptureDependencies: edges with data are not supported");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  std::vector<Node*> nodes;
  if (flags == CU_STREAM_ADD_CAPTURE_DEPENDENCIES) nodes = stream->tails;
  const CUresult error = nodes_of(dependencies, count, nodes);
  if (error == CUDA_SUCCESS) stream->tails = std::move(nodes);
  return error;
}
