#include "driver/graph.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace virtual_gpu {
namespace {

std::map<CUgraphNode, Node*>& nodes() {
  static auto* const all = new std::map<CUgraphNode, Node*>;
  return *all;
}

void forget(const Node& node) {
  nodes().erase(node.handle);
  if (node.child_handle != nullptr) graphs().remove(node.child_handle);
}

}  // namespace

Graph::~Graph() {
  const std::lock_guard guard(graph_lock());
  for (const auto& node : nodes) forget(*node);
}

Node* Graph::add(Work work, std::vector<Node*> dependencies) {
  const std::lock_guard guard(graph_lock());
  auto node = std::make_unique<Node>();
  node->handle = reinterpret_cast<CUgraphNode>(next_handle());
  node->graph = this;
  node->work = std::move(work);
  node->dependencies = std::move(dependencies);
  virtual_gpu::nodes()[node->handle] = node.get();
  nodes.push_back(std::move(node));
  return nodes.back().get();
}

void Graph::remove(Node* node) {
  const std::lock_guard guard(graph_lock());
  forget(*node);
  for (const auto& other : nodes) {
    auto& all = other->dependencies;
    all.erase(std::remove(all.begin(), all.end(), node), all.end());
  }
  nodes.erase(std::find_if(nodes.begin(), nodes.end(),
                           [node](const auto& other) { return other.get() == node; }));
}

std::recursive_mutex& graph_lock() {
  static auto* const one = new std::recursive_mutex;
  return *one;
}

Handles<Graph, CUgraph>& graphs() {
  static auto* const all = new Handles<Graph, CUgraph>;
  return *all;
}

Node* node_of(CUgraphNode handle) {
  const std::lock_guard guard(graph_lock());
  const auto found = nodes().find(handle);
  return found == nodes().end() ? nullptr : found->second;
}

void make_child(Node& node, std::shared_ptr<Graph> child) {
  const std::lock_guard guard(graph_lock());
  if (node.child_handle != nullptr) graphs().remove(node.child_handle);
  node.child = std::move(child);
  node.child_handle = graphs().add(node.child);
}

std::shared_ptr<Graph> copy_of(const Graph& graph) {
  const std::lock_guard guard(graph_lock());
  auto copy = std::make_shared<Graph>();
  std::map<const Node*, Node*> copies;
  for (const auto& node : graph.nodes) {
    Node* const own = copy->add(node->work, {});
    if (node->child) make_child(*own, copy_of(*node->child));
    copies[node.get()] = own;
  }
  for (const auto& node : graph.nodes) {
    for (const Node* dependency : node->dependencies) {
      copies.at(node.get())->dependencies.push_back(copies.at(dependency));
    }
  }
  return copy;
}

bool depends_on(const Node* later, const Node* earlier) {
  std::set<const Node*> seen = {later};
  std::vector<const Node*> left = {later};
  while (!left.empty()) {
    const Node* const node = left.back();
    left.pop_back();
    if (node == earlier) return true;
    for (const Node* dependency : node->dependencies) {
      if (seen.insert(dependency).second) left.push_back(dependency);
    }
  }
  return false;
}

}  // namespace virtual_gpu
