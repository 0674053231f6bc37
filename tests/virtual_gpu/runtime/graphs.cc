// Captures and graphs.

#include "runtime/api.h"

using namespace virtual_gpu;

VIRTUAL_GPU_API cudaError_t cudaStreamBeginCapture(cudaStream_t stream,
                                                   cudaStreamCaptureMode mode) {
  return started(
      [=] { return cuStreamBeginCapture(stream, static_cast<CUstreamCaptureMode>(mode)); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return started([=] { return cuStreamEndCapture(stream, graph); });
}

VIRTUAL_GPU_API cudaError_t cudaStreamIsCapturing(cudaStream_t stream,
                                                  cudaStreamCaptureStatus* status) {
  return started([=] {
    return cuStreamIsCapturing(stream, reinterpret_cast<CUstreamCaptureStatus*>(status));
  });
}

VIRTUAL_GPU_API cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return started([=] {
    return cuThreadExchangeStreamCaptureMode(reinterpret_cast<CUstreamCaptureMode*>(mode));
  });
}

#if CUDART_VERSION >= 13000
VIRTUAL_GPU_API cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream,
                                                     cudaStreamCaptureStatus* status,
                                                     unsigned long long* id, cudaGraph_t* graph,
                                                     const cudaGraphNode_t** dependencies,
                                                     const cudaGraphEdgeData** edges,
                                                     size_t* count) {
  static_assert(sizeof(cudaGraphEdgeData) == sizeof(CUgraphEdgeData));
  return started([=] {
    cuuint64_t number = 0;
    const CUresult error = cuStreamGetCaptureInfo(
        stream, reinterpret_cast<CUstreamCaptureStatus*>(status), &number, graph, dependencies,
        reinterpret_cast<const CUgraphEdgeData**>(edges), count);
    if (id != nullptr) *id = number;
    return error;
  });
}
#else
VIRTUAL_GPU_API cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream,
                                                        cudaStreamCaptureStatus* status,
                                                        unsigned long long* id, cudaGraph_t* graph,
                                                        const cudaGraphNode_t** dependencies,
                                                        size_t* count) {
  return started([=] {
    cuuint64_t number = 0;
    const CUresult error =
        cuStreamGetCaptureInfo_v2(stream, reinterpret_cast<CUstreamCaptureStatus*>(status), &number,
                                  graph, dependencies, count);
    if (id != nullptr) *id = number;
    return error;
  });
}
#endif

VIRTUAL_GPU_API cudaError_t cudaGraphInstantiate(cudaGraphExec_t* instance, cudaGraph_t graph,
                                                 unsigned long long flags) {
  return started([=] { return cuGraphInstantiate(instance, graph, flags); });
}

VIRTUAL_GPU_API cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* instance,
                                                          cudaGraph_t graph,
                                                          unsigned long long flags) {
  return cudaGraphInstantiate(instance, graph, flags);
}

VIRTUAL_GPU_API cudaError_t cudaGraphLaunch(cudaGraphExec_t instance, cudaStream_t stream) {
  return started([=] { return cuGraphLaunch(instance, stream); });
}

VIRTUAL_GPU_API cudaError_t cudaGraphUpload(cudaGraphExec_t instance, cudaStream_t stream) {
  return started([=] { return cuGraphUpload(instance, stream); });
}

VIRTUAL_GPU_API cudaError_t cudaGraphExecDestroy(cudaGraphExec_t instance) {
  return started([=] { return cuGraphExecDestroy(instance); });
}

VIRTUAL_GPU_API cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return started([=] { return cuGraphDestroy(graph); });
}

VIRTUAL_GPU_API cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes,
                                              size_t* count) {
  return started([=] { return cuGraphGetNodes(graph, nodes, count); });
}
