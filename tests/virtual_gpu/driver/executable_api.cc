// Graphs, as a program instantiates them, launches them and changes what they do.

#include <utility>

#include "driver/context.h"
#include "driver/executable.h"
#include "driver/nodes.h"

namespace virtual_gpu {
namespace {

CUresult instantiate(CUgraphExec* instance, CUgraph handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto graph = graphs().find(handle);
  if (!graph) return CUDA_ERROR_INVALID_VALUE;
  auto made = executable_of(*graph);
  if (!made) return CUDA_ERROR_INVALID_VALUE;
  say("an instance of a graph of %zu nodes", made->steps.size());
  *instance = instances().add(std::make_shared<Instance>(std::move(made)));
  return CUDA_SUCCESS;
}

CUresult replace(CUgraphExec handle, CUgraphNode node, const Work& work) {
  const std::lock_guard guard(graph_lock());
  const auto instance = instances().find(handle);
  if (!instance) return CUDA_ERROR_INVALID_VALUE;
  auto changed = with_work(*instance->current, node, work);
  if (!changed) return CUDA_ERROR_INVALID_VALUE;
  instance->current = std::move(changed);
  return CUDA_SUCCESS;
}

template <typename Parameters>
CUresult replace(CUgraphExec instance, CUgraphNode node, const Parameters& parameters,
                 CUresult (*work_of)(const Parameters&, Work&)) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  Work work;
  const CUresult error = work_of(parameters, work);
  return error != CUDA_SUCCESS ? error : replace(instance, node, work);
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* instance, CUgraph graph,
                                                     unsigned long long flags) {
  constexpr unsigned long long kHarmless = CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH |
                                           CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
  if ((flags & ~kHarmless) != 0) return CUDA_ERROR_NOT_SUPPORTED;
  return instantiate(instance, graph);
}

VIRTUAL_GPU_API CUresult cuGraphInstantiate_v2(CUgraphExec* instance, CUgraph graph,
                                               CUgraphNode* node, char* log, size_t room) {
  if (node != nullptr) *node = nullptr;
  if (log != nullptr && room > 0) *log = '\0';
  return instantiate(instance, graph);
}

VIRTUAL_GPU_API CUresult cuGraphInstantiateWithParams(CUgraphExec* instance, CUgraph graph,
                                                      CUDA_GRAPH_INSTANTIATE_PARAMS* parameters) {
  const CUresult error = cuGraphInstantiateWithFlags(instance, graph, parameters->flags);
  parameters->hErrNode_out = nullptr;
  parameters->result_out =
      error == CUDA_SUCCESS ? CUDA_GRAPH_INSTANTIATE_SUCCESS : CUDA_GRAPH_INSTANTIATE_ERROR;
  return error;
}

VIRTUAL_GPU_API CUresult cuGraphExecDestroy(CUgraphExec instance) {
  return instances().remove(instance) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

VIRTUAL_GPU_API CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto instance = instances().find(handle);
  if (!instance) return CUDA_ERROR_INVALID_VALUE;
  std::shared_ptr<const Executable> current;
  {
    const std::lock_guard guard(graph_lock());
    current = instance->current;
  }
  say("a graph of %zu nodes", current->steps.size());
  return add_work(stream, ChildWork{std::move(current), instance->alone});
}

VIRTUAL_GPU_API CUresult cuGraphUpload(CUgraphExec instance, CUstream) {
  return instances().find(instance) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

VIRTUAL_GPU_API CUresult cuGraphExecUpdate_v2(CUgraphExec handle, CUgraph graph_handle,
                                              CUgraphExecUpdateResultInfo* result) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto graph = graphs().find(graph_handle);
  const auto instance = instances().find(handle);
  if (!graph || !instance) return CUDA_ERROR_INVALID_VALUE;
  const auto other = executable_of(*graph);
  const std::lock_guard guard(graph_lock());
  auto changed = other ? with_work_of(*instance->current, *other) : nullptr;
  *result = {};
  if (!changed) {
    result->result = CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
    return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  }
  result->result = CU_GRAPH_EXEC_UPDATE_SUCCESS;
  instance->current = std::move(changed);
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGraphExecKernelNodeSetParams_v2(
    CUgraphExec instance, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS* parameters) {
  return replace(instance, node, *parameters, &kernel_work_of);
}

VIRTUAL_GPU_API CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec instance, CUgraphNode node,
                                                        const CUDA_MEMCPY3D* parameters,
                                                        CUcontext) {
  return replace(instance, node, *parameters, &copy_work_of);
}

VIRTUAL_GPU_API CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec instance, CUgraphNode node,
                                                        const CUDA_MEMSET_NODE_PARAMS* parameters,
                                                        CUcontext) {
  return replace(instance, node, *parameters, &fill_work_of);
}

VIRTUAL_GPU_API CUresult cuGraphExecHostNodeSetParams(CUgraphExec instance, CUgraphNode node,
                                                      const CUDA_HOST_NODE_PARAMS* parameters) {
  return replace(instance, node, HostWork{parameters->fn, parameters->userData});
}

VIRTUAL_GPU_API CUresult cuGraphExecChildGraphNodeSetParams(CUgraphExec handle, CUgraphNode node,
                                                            CUgraph child) {
  const std::lock_guard guard(graph_lock());
  const auto instance = instances().find(handle);
  const auto graph = graphs().find(child);
  if (!instance || !graph) return CUDA_ERROR_INVALID_VALUE;
  auto made = executable_of(*graph);
  return made ? replace(handle, node, ChildWork{std::move(made), nullptr})
              : CUDA_ERROR_INVALID_VALUE;
}
