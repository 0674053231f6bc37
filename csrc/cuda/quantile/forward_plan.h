#pragma once

// The plan of a selection: what cuda/loss/forward_plan.h is for the loss. Arithmetic for the host;
// no CUDA.

#include <algorithm>
#include <cstdint>
#include <string>

#include "call/quantile.h"
#include "cuda/select/task_plan.h"

namespace tailops {
namespace cuda {

struct SelectKernels : TaskKernels {
  int64_t few_q = 0;          // as many of the host's are arguments of a kernel
  int64_t q_of_a_launch = 0;  // of more, as many as a launch puts into the device's memory
};

struct SelectPlan : TaskPlan {
  // Of more q than a few, in the host's memory: a launch for each so many.
  Array stored;
  device::Grid store;
  int64_t stores = 0;

  int q_at_once = 0;     // that digits are found for
  int targets_of_q = 0;  // 1 or 2: each is an element that the q needs
  int64_t q_rounds = 0;  // until all q are done

  int64_t workspace_bytes = 0;

  int64_t launches() const {
    return stores + (groups.grid.exists() ? 1 : 0) + q_rounds * digits.launches();
  }
};

// `on_host`: where the q are.
inline SelectPlan plan_select(const SelectionGeometry& geometry, const SelectionOptions& options,
                              int64_t q_count, bool on_host, const SelectKernels& kernels,
                              const Limits& limits) {
  SelectPlan plan;
  if (geometry.size() == 0 || q_count == 0) return plan;
  Layout space;
  if (on_host && q_count > kernels.few_q) {
    plan.stored = space.add(q_count, sizeof(double));
    plan.store = {1, 1, static_cast<int>(kernels.q_of_a_launch), 0};
    plan.stores = ceiling(q_count, kernels.q_of_a_launch);
  }
  const int targets_of_q = interpolates(options.method) ? 2 : 1;
  const auto q_at_once = static_cast<int>(std::min<int64_t>(q_count, kMostTargets / targets_of_q));
  static_cast<TaskPlan&>(plan) =
      plan_task(geometry, q_at_once * targets_of_q, kernels, limits, space);
  if (plan.way == SelectWay::kDigits) {
    plan.targets_of_q = targets_of_q;
    plan.q_at_once = q_at_once;
    plan.q_rounds = ceiling(q_count, q_at_once);
  }
  plan.workspace_bytes = space.bytes();
  return plan;
}

// Launches by the names of their kernels.
inline std::string to_string(const SelectPlan& plan) {
  Printed to;
  to.add("way", kSelectWayNames[static_cast<int>(plan.way)]);
  to.add("launches", plan.launches());
  to.add("workspace", plan.workspace_bytes);
  to.add("stored", plan.stored);
  to.add("stores", plan.stores);
  to.add("StoreRanks", plan.store);
  print(plan.groups, "SelectionInGroups", to);
  to.add("q_at_once", plan.q_at_once);
  to.add("targets_of_q", plan.targets_of_q);
  to.add("q_rounds", plan.q_rounds);
  print(plan.digits, "SelectionDigits", to);
  return to.text();
}

inline bool operator==(const SelectPlan& a, const SelectPlan& b) {
  return to_string(a) == to_string(b);
}

}  // namespace cuda
}  // namespace tailops
