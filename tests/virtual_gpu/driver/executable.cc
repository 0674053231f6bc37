#include "driver/executable.h"

#include <map>
#include <mutex>
#include <random>

#include "driver/context.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

unsigned random_number() {
  static std::mutex lock;
  static std::minstd_rand random(static_cast<unsigned>(settings().seed));
  const std::lock_guard guard(lock);
  return static_cast<unsigned>(random());
}

}  // namespace

Handles<Instance, CUgraphExec>& instances() {
  static auto* const all = new Handles<Instance, CUgraphExec>;
  return *all;
}

std::shared_ptr<const Executable> executable_of(const Graph& graph) {
  const std::lock_guard guard(graph_lock());
  auto made = std::make_shared<Executable>();
  std::map<const Node*, size_t> numbers;
  for (const auto& node : graph.nodes) numbers[node.get()] = numbers.size();
  for (const auto& node : graph.nodes) {
    Executable::Step step{node->handle, node->work, {}};
    if (node->child) {
      step.work = ChildWork{executable_of(*node->child), nullptr};
      if (std::get<ChildWork>(step.work).graph == nullptr) return nullptr;
    }
    for (const Node* dependency : node->dependencies) {
      if (dependency != node.get() && depends_on(dependency, node.get())) return nullptr;
      step.dependencies.push_back(numbers.at(dependency));
    }
    made->steps.push_back(std::move(step));
  }
  return made;
}

void perform_graph(const Executable& graph) {
  std::vector<size_t> open(graph.steps.size());
  std::vector<std::vector<size_t>> later(graph.steps.size());
  std::vector<size_t> ready;
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    open[i] = graph.steps[i].dependencies.size();
    for (const size_t before : graph.steps[i].dependencies) later[before].push_back(i);
    if (open[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const size_t chosen = random_number() % ready.size();
    const size_t i = ready[chosen];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(chosen));
    perform(graph.steps[i].work);
    for (const size_t next : later[i]) {
      if (--open[next] == 0) ready.push_back(next);
    }
  }
}

std::shared_ptr<const Executable> with_work(const Executable& graph, CUgraphNode node,
                                            const Work& work) {
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    Work changed = work;
    if (graph.steps[i].node == node) {
      if (graph.steps[i].work.index() != work.index()) return nullptr;
    } else {
      const auto* const child = std::get_if<ChildWork>(&graph.steps[i].work);
      auto inner = child == nullptr ? nullptr : with_work(*child->graph, node, work);
      if (!inner) continue;
      changed = ChildWork{std::move(inner), nullptr};
    }
    auto copy = std::make_shared<Executable>(graph);
    copy->steps[i].work = std::move(changed);
    return copy;
  }
  return nullptr;
}

std::shared_ptr<const Executable> with_work_of(const Executable& graph, const Executable& other) {
  if (graph.steps.size() != other.steps.size()) return nullptr;
  auto copy = std::make_shared<Executable>(graph);
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    const auto& from = other.steps[i];
    auto& to = copy->steps[i];
    if (to.work.index() != from.work.index() || to.dependencies != from.dependencies) {
      return nullptr;
    }
    if (const auto* const child = std::get_if<ChildWork>(&from.work)) {
      auto inner = with_work_of(*std::get<ChildWork>(to.work).graph, *child->graph);
      if (!inner) return nullptr;
      to.work = ChildWork{std::move(inner), nullptr};
    } else {
      to.work = from.work;
    }
  }
  return copy;
}

}  // namespace virtual_gpu
