#pragma once

// The plan of a range mean: what cuda/loss/forward_plan.h is for the loss. It depends on shape,
// type and device, never on the bounds. Arithmetic for the host; no CUDA.

#include <cstdint>
#include <string>

#include "call/range_mean.h"
#include "cuda/select/task_plan.h"

namespace tailops {
namespace cuda {

struct RangeKernels : TaskKernels {
  int64_t sum_bytes = 0;  // what a block leaves for the last one
  int targets = 0;        // of a group, which digits are found for
};

struct RangePlan : TaskPlan {
  Array sums;  // of the blocks of the groups in flight
  int64_t workspace_bytes = 0;
};

inline RangePlan plan_range(const Groups& groups, const RangeKernels& kernels,
                            const Limits& limits) {
  RangePlan plan;
  if (groups.size() == 0) return plan;
  Layout space;
  static_cast<TaskPlan&>(plan) = plan_task(groups, kernels.targets, kernels, limits, space);
  if (plan.way == SelectWay::kDigits) {
    plan.sums = space.add(plan.digits.at_once * plan.digits.count.blocks, kernels.sum_bytes);
  }
  plan.workspace_bytes = space.bytes();
  return plan;
}

// Launches by the names of their kernels.
inline std::string to_string(const RangePlan& plan) {
  Printed to;
  to.add("way", kSelectWayNames[static_cast<int>(plan.way)]);
  to.add("launches", plan.launches());
  to.add("workspace", plan.workspace_bytes);
  print(plan.groups, "RangeInGroups", to);
  print(plan.digits, "RangeDigits", to);
  to.add("sums", plan.sums);
  return to.text();
}

inline bool operator==(const RangePlan& a, const RangePlan& b) {
  return to_string(a) == to_string(b);
}

}  // namespace cuda
}  // namespace tailops
