#pragma once

// A graph as it is launched: its work, copied when it was instantiated.

#include <memory>
#include <mutex>
#include <vector>

#include "driver/graph.h"
#include "driver/work.h"

namespace virtual_gpu {

struct Executable {
  struct Step {
    CUgraphNode node;  // of the graph that it was made of
    Work work;
    std::vector<size_t> dependencies;
  };

  std::vector<Step> steps;
};

// What a program changes in it is seen by the launches after.
struct Instance {
  std::shared_ptr<const Executable> current;
  std::shared_ptr<std::mutex> alone = std::make_shared<std::mutex>();
};

Handles<Instance, CUgraphExec>& instances();

// Null if its nodes depend on each other in a circle.
std::shared_ptr<const Executable> executable_of(const Graph& graph);

// One step after another, in any order that the dependencies allow.
void perform_graph(const Executable& graph);

// The same but for the work of a node, of this graph or of one within. Null if the node is not in
// it, or does something of another kind.
std::shared_ptr<const Executable> with_work(const Executable& graph, CUgraphNode node,
                                            const Work& work);

// The same, doing what another one does. Null if that one's steps are others, or in another order.
std::shared_ptr<const Executable> with_work_of(const Executable& graph, const Executable& other);

}  // namespace virtual_gpu
