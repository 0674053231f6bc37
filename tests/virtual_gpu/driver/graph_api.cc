// Graphs, as a program makes them of nodes; and what it asks about them.

#include <algorithm>
#include <utility>

#include "driver/context.h"
#include "driver/copy.h"
#include "driver/graph.h"
#include "driver/launch.h"
#include "driver/nodes.h"
#include "machine/complaints.h"

namespace virtual_gpu {

CUresult kernel_work_of(const CUDA_KERNEL_NODE_PARAMS& parameters, Work& work) {
  const Shape shape{{parameters.gridDimX, parameters.gridDimY, parameters.gridDimZ},
                    {parameters.blockDimX, parameters.blockDimY, parameters.blockDimZ},
                    parameters.sharedMemBytes};
  KernelWork kernel;
  CUfunction function = parameters.func;
  if (function == nullptr) function = reinterpret_cast<CUfunction>(parameters.kern);
  const CUresult error =
      launch_of(function, shape, parameters.kernelParams, parameters.extra, kernel);
  work = std::move(kernel);
  return error;
}

CUresult copy_work_of(const CUDA_MEMCPY3D& parameters, Work& work) {
  CopyWork copy;
  const CUresult error = copy_of(parameters, copy);
  work = std::move(copy);
  return error;
}

CUresult fill_work_of(const CUDA_MEMSET_NODE_PARAMS& parameters, Work& work) {
  FillWork fill;
  const CUresult error = fill_of(parameters, fill);
  work = fill;
  return error;
}

namespace {

CUresult add(CUgraphNode* handle, CUgraph graph_handle, const CUgraphNode* dependencies,
             size_t count, Work work, Node** added = nullptr) {
  const std::lock_guard guard(graph_lock());
  const auto graph = graphs().find(graph_handle);
  if (!graph || handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
  std::vector<Node*> nodes;
  for (size_t i = 0; i < count; ++i) {
    Node* const node = node_of(dependencies[i]);
    if (node == nullptr || node->graph != graph.get()) return CUDA_ERROR_INVALID_VALUE;
    nodes.push_back(node);
  }
  Node* const node = graph->add(std::move(work), std::move(nodes));
  if (added != nullptr) *added = node;
  *handle = node->handle;
  return CUDA_SUCCESS;
}

CUresult add_child(CUgraphNode* handle, CUgraph graph, const CUgraphNode* dependencies,
                   size_t count, CUgraph child_handle, bool is_moved) {
  const auto child = graphs().find(child_handle);
  if (!child) return CUDA_ERROR_INVALID_VALUE;
  Node* node = nullptr;
  const CUresult error = add(handle, graph, dependencies, count, ChildWork{}, &node);
  if (error == CUDA_SUCCESS) make_child(*node, is_moved ? child : copy_of(*child));
  return error;
}

CUresult add_any(CUgraphNode* handle, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                 CUgraphNodeParams& parameters) {
  Work work;
  CUresult error = CUDA_SUCCESS;
  switch (parameters.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: {
      const auto& of = parameters.kernel;
      CUDA_KERNEL_NODE_PARAMS kernel{};
      kernel.func = of.func;
      kernel.gridDimX = of.gridDimX;
      kernel.gridDimY = of.gridDimY;
      kernel.gridDimZ = of.gridDimZ;
      kernel.blockDimX = of.blockDimX;
      kernel.blockDimY = of.blockDimY;
      kernel.blockDimZ = of.blockDimZ;
      kernel.sharedMemBytes = of.sharedMemBytes;
      kernel.kernelParams = of.kernelParams;
      kernel.extra = of.extra;
      kernel.kern = of.kern;
      error = kernel_work_of(kernel, work);
      break;
    }
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      error = copy_work_of(parameters.memcpy.copyParams, work);
      break;
    case CU_GRAPH_NODE_TYPE_MEMSET: {
      const auto& of = parameters.memset;
      const CUDA_MEMSET_NODE_PARAMS memset{of.dst,         of.pitch, of.value,
                                           of.elementSize, of.width, of.height};
      error = fill_work_of(memset, work);
      break;
    }
    case CU_GRAPH_NODE_TYPE_HOST:
      work = HostWork{parameters.host.fn, parameters.host.userData};
      break;
    case CU_GRAPH_NODE_TYPE_EMPTY:
      break;
    case CU_GRAPH_NODE_TYPE_GRAPH: {
#if CUDA_VERSION >= 12090
      const bool is_moved = parameters.graph.ownership == CU_GRAPH_CHILD_GRAPH_OWNERSHIP_MOVE;
#else
      const bool is_moved = false;
#endif
      return add_child(handle, graph, dependencies, count, parameters.graph.graph, is_moved);
    }
    default:
      complain("graphs cannot hold nodes of the type " + std::to_string(parameters.type));
      return CUDA_ERROR_NOT_SUPPORTED;
  }
  return error != CUDA_SUCCESS ? error : add(handle, graph, dependencies, count, std::move(work));
}

// As many as the program has room for; without room only how many there are.
CUresult give(const std::vector<CUgraphNode>& all, CUgraphNode* nodes, size_t* count) {
  if (nodes != nullptr) {
    const size_t room = std::min(*count, all.size());
    std::copy_n(all.begin(), room, nodes);
    std::fill(nodes + room, nodes + *count, nullptr);
  }
  *count = all.size();
  return CUDA_SUCCESS;
}

CUgraphNodeType type_of(const Work& work) {
  constexpr CUgraphNodeType kTypes[] = {CU_GRAPH_NODE_TYPE_EMPTY,  CU_GRAPH_NODE_TYPE_KERNEL,
                                        CU_GRAPH_NODE_TYPE_MEMCPY, CU_GRAPH_NODE_TYPE_MEMSET,
                                        CU_GRAPH_NODE_TYPE_HOST,   CU_GRAPH_NODE_TYPE_GRAPH};
  static_assert(std::size(kTypes) == std::variant_size_v<Work>);
  return kTypes[work.index()];
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuGraphCreate(CUgraph* graph, unsigned flags) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  *graph = graphs().add(std::make_shared<Graph>());
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGraphDestroy(CUgraph graph) {
  return graphs().remove(graph) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

VIRTUAL_GPU_API CUresult cuGraphClone(CUgraph* clone, CUgraph graph) {
  const auto original = graphs().find(graph);
  if (!original) return CUDA_ERROR_INVALID_VALUE;
  *clone = graphs().add(copy_of(*original));
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph,
                                                 const CUgraphNode* dependencies, size_t count,
                                                 const CUDA_KERNEL_NODE_PARAMS* parameters) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  Work work;
  const CUresult error = kernel_work_of(*parameters, work);
  return error != CUDA_SUCCESS ? error : add(node, graph, dependencies, count, std::move(work));
}

VIRTUAL_GPU_API CUresult cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph,
                                              const CUgraphNode* dependencies, size_t count,
                                              const CUDA_MEMCPY3D* parameters, CUcontext) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  Work work;
  const CUresult error = copy_work_of(*parameters, work);
  return error != CUDA_SUCCESS ? error : add(node, graph, dependencies, count, std::move(work));
}

VIRTUAL_GPU_API CUresult cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph,
                                              const CUgraphNode* dependencies, size_t count,
                                              const CUDA_MEMSET_NODE_PARAMS* parameters,
                                              CUcontext) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  Work work;
  const CUresult error = fill_work_of(*parameters, work);
  return error != CUDA_SUCCESS ? error : add(node, graph, dependencies, count, std::move(work));
}

VIRTUAL_GPU_API CUresult cuGraphAddHostNode(CUgraphNode* node, CUgraph graph,
                                            const CUgraphNode* dependencies, size_t count,
                                            const CUDA_HOST_NODE_PARAMS* parameters) {
  return add(node, graph, dependencies, count, HostWork{parameters->fn, parameters->userData});
}

VIRTUAL_GPU_API CUresult cuGraphAddEmptyNode(CUgraphNode* node, CUgraph graph,
                                             const CUgraphNode* dependencies, size_t count) {
  return add(node, graph, dependencies, count, EmptyWork{});
}

VIRTUAL_GPU_API CUresult cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph graph,
                                                  const CUgraphNode* dependencies, size_t count,
                                                  CUgraph child) {
  return add_child(node, graph, dependencies, count, child, false);
}

VIRTUAL_GPU_API CUresult cuGraphAddNode(CUgraphNode* node, CUgraph graph,
                                        const CUgraphNode* dependencies, size_t count,
                                        CUgraphNodeParams* parameters) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  return add_any(node, graph, dependencies, count, *parameters);
}

VIRTUAL_GPU_API CUresult cuGraphAddNode_v2(CUgraphNode* node, CUgraph graph,
                                           const CUgraphNode* dependencies,
                                           const CUgraphEdgeData* edges, size_t count,
                                           CUgraphNodeParams* parameters) {
  if (edges != nullptr) {
    complain("cuGraphAddNode: edges with data are not supported");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  return cuGraphAddNode(node, graph, dependencies, count, parameters);
}

VIRTUAL_GPU_API CUresult cuGraphDestroyNode(CUgraphNode handle) {
  const std::lock_guard guard(graph_lock());
  Node* const node = node_of(handle);
  if (node == nullptr) return CUDA_ERROR_INVALID_VALUE;
  node->graph->remove(node);
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type) {
  const std::lock_guard guard(graph_lock());
  const Node* const node = node_of(handle);
  if (node == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *type = type_of(node->work);
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode handle, CUgraph* graph) {
  const std::lock_guard guard(graph_lock());
  const Node* const node = node_of(handle);
  if (node == nullptr || !node->child) return CUDA_ERROR_INVALID_VALUE;
  *graph = node->child_handle;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  const std::lock_guard guard(graph_lock());
  const auto graph = graphs().find(handle);
  if (!graph) return CUDA_ERROR_INVALID_VALUE;
  std::vector<CUgraphNode> all;
  for (const auto& node : graph->nodes) all.push_back(node->handle);
  return give(all, nodes, count);
}

VIRTUAL_GPU_API CUresult cuGraphGetRootNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  const std::lock_guard guard(graph_lock());
  const auto graph = graphs().find(handle);
  if (!graph) return CUDA_ERROR_INVALID_VALUE;
  std::vector<CUgraphNode> all;
  for (const auto& node : graph->nodes) {
    if (node->dependencies.empty()) all.push_back(node->handle);
  }
  return give(all, nodes, count);
}

// Of a kernel's node: all kernels here are of the same importance.
VIRTUAL_GPU_API CUresult cuGraphKernelNodeSetAttribute(CUgraphNode handle,
                                                       CUkernelNodeAttrID attribute,
                                                       const CUkernelNodeAttrValue*) {
  const std::lock_guard guard(graph_lock());
  const Node* const node = node_of(handle);
  if (node == nullptr || !std::holds_alternative<KernelWork>(node->work)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (attribute == CU_LAUNCH_ATTRIBUTE_PRIORITY) return CUDA_SUCCESS;
  complain("a kernel's node with the attribute " + std::to_string(attribute) +
           ", which is not known");
  return CUDA_ERROR_NOT_SUPPORTED;
}
