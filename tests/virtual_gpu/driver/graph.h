#pragma once

// Work as nodes, each of which comes after those that it depends on.

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "driver/api.h"
#include "driver/handles.h"
#include "driver/work.h"

namespace virtual_gpu {

struct Graph;

struct Node {
  CUgraphNode handle = nullptr;
  Graph* graph = nullptr;
  Work work;
  std::vector<Node*> dependencies;
  // Of a node that is a graph: its own copy, whose nodes can be asked for and changed.
  std::shared_ptr<Graph> child;
  CUgraph child_handle = nullptr;
};

struct Graph {
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();

  std::vector<std::unique_ptr<Node>> nodes;

  Node* add(Work work, std::vector<Node*> dependencies);
  void remove(Node* node);
};

// Held by who reads or changes a graph, and by captures, which do.
std::recursive_mutex& graph_lock();

Handles<Graph, CUgraph>& graphs();
// Null if there is none.
Node* node_of(CUgraphNode handle);

// The node becomes one that is a graph: this one.
void make_child(Node& node, std::shared_ptr<Graph> child);
// With nodes of its own, whose order is that of the original's.
std::shared_ptr<Graph> copy_of(const Graph& graph);

// Whether `later` depends on `earlier`, by whatever way; a node does so on itself.
bool depends_on(const Node* later, const Node* earlier);

}  // namespace virtual_gpu
