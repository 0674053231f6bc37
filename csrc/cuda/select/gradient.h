#pragma once

// What reaches the elements of groups of which something was selected, in one launch: each element
// compares itself with that. Task is what it makes of it:
//
//   Groups, `elements()`: all of them, `group(g)`: one group's; `gradient`, which may lie over them
//   count(): of what was selected from each group; weights_of(g, i): what reaches whom
//   add(weights, value, sum): what reaches this one, all added up; rounded(sum)

#include "cuda/device/in_column.h"
#include "cuda/device/vectors.h"

namespace tailops {
namespace cuda {

// Where a group's elements lie side by side.
template <typename Task>
struct RowGradient {
  using Elements = typename Task::Elements;
  using T = typename Elements::Element;
  using C = ComputeType<T>;
  using B = Batch<Elements>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {};

  Task task;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const Vectors vectors(task.elements());
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    vectors.for_each(worker, workers, [&](const B& batch) {
      T values[B::kSize];
      TAILOPS_UNROLL
      for (int u = 0; u < B::kVectors; ++u) {
        C sums[B::kLanes];
        add_up(batch, u, sums);
        TAILOPS_UNROLL
        for (int i = 0; i < B::kLanes; ++i) {
          const int j = u * B::kLanes + i;
          const bool valid = !Elements::kMayIgnore || (batch.valid >> j & 1u) != 0;
          values[j] = task.rounded(valid ? sums[i] : C(0));
        }
      }
      vectors.store(batch, values, task.gradient);
    });
  }

 private:
  TAILOPS_DEVICE void add_up(const B& batch, int u, C (&sums)[B::kLanes]) const {
    constexpr unsigned kWhole = (1u << B::kLanes) - 1;
    const unsigned inside = batch.inside >> (u * B::kLanes) & kWhole;
    TAILOPS_UNROLL
    for (int i = 0; i < B::kLanes; ++i) sums[i] = C(0);
    if (inside == 0) return;
    Place at = place_of(batch.first[u] < 0 ? 0 : batch.first[u]);
    if (inside == kWhole && at.along + B::kLanes <= task.length) {
      for (int64_t k = 0; k < task.count(); ++k) {
        const auto weights = task.weights_of(at.group, k);
        TAILOPS_UNROLL
        for (int i = 0; i < B::kLanes; ++i) {
          task.add(weights, batch.values[u * B::kLanes + i], sums[i]);
        }
      }
      return;
    }
    TAILOPS_UNROLL
    for (int i = 0; i < B::kLanes; ++i) {
      if (!(inside >> i & 1u)) continue;
      for (int64_t k = 0; k < task.count(); ++k) {
        task.add(task.weights_of(at.group, k), batch.values[u * B::kLanes + i], sums[i]);
      }
      if (++at.along == task.length) at = {at.group + 1, 0};
    }
  }

  // Of an element: flat is group · length + along.
  struct Place {
    int64_t group;
    int64_t along;
  };

  TAILOPS_DEVICE Place place_of(int64_t flat) const {
    constexpr int64_t kIn32Bits = int64_t{1} << 32;  // such a division takes a third of the time
    if (flat < kIn32Bits && task.length < kIn32Bits) {
      const uint32_t of = static_cast<uint32_t>(flat), length = static_cast<uint32_t>(task.length);
      const uint32_t group = of / length;
      return {group, of - group * length};
    }
    const int64_t group = flat / task.length;
    return {group, flat - group * task.length};
  }
};

// Of columns: a thread stays in its own, and keeps what the first few have selected from it.
template <typename Task>
struct ColumnGradient {
  using T = typename Task::Elements::Element;
  using C = ComputeType<T>;
  using Weights = typename Task::Weights;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = sizeof(C) == sizeof(float) ? 4 : 2;
  static constexpr int kKept = Task::kMostCount < 3 ? Task::kMostCount : 3;
  struct Shared {};

  Task task;
  ColumnPlan plan;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const InColumn at(plan);
    if (!at.exists) return;
    Weights kept[kKept] = {};
    TAILOPS_UNROLL
    for (int k = 0; k < kKept; ++k) {
      if (k < task.count()) kept[k] = task.weights_of(at.group, k);
    }
    const int64_t first = task.first_of(at.group);
    at.for_each(plan, task.group(at.group), [&](int64_t k, T value, bool valid) {
      C sum = C(0);
      if (valid) {
        // Weights of nothing add nothing.
        TAILOPS_UNROLL
        for (int i = 0; i < kKept; ++i) task.add(kept[i], value, sum);
        for (int64_t i = kKept; i < task.count(); ++i) {
          task.add(task.weights_of(at.group, i), value, sum);
        }
      }
      task.gradient[first + k * task.inner] = task.rounded(sum);
    });
  }
};

// How they are launched.
template <typename Task>
void launch_gradient(const Task& task, const Limits& limits, void* stream) {
  if (task.size() == 0) return;
  if (task.inner > 1) {
    const ColumnPlan plan(task.outer, task.length, task.inner, limits);
    device::launch(ColumnGradient<Task>{task, plan}, plan.grid(), stream);
    return;
  }
  using T = typename Task::Elements::Element;
  const int64_t blocks = blocks_for(task.size() * static_cast<int64_t>(sizeof(T)), limits);
  device::launch(RowGradient<Task>{task}, {blocks, 1, limits.grid_threads, 0}, stream);
}

}  // namespace cuda
}  // namespace tailops
