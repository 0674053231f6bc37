#pragma once

// How a task is done for every group: by a block each, or by many blocks each. Arithmetic for the
// host; no CUDA.

#include <cstdint>

#include "call/groups.h"
#include "cuda/select/digits_plan.h"
#include "cuda/select/groups_plan.h"

namespace tailops {
namespace cuda {

enum class SelectWay {
  kNothing,  // there is nothing to do
  kBlocks,   // a block for each group, or for some columns
  kDigits,   // many blocks for each group
};

constexpr const char* kSelectWayNames[] = {"nothing", "blocks", "digits"};

// What the plan must know of the task's kernels.
struct TaskKernels {
  int64_t element_bytes = 0;
  int64_t key_bytes = 0;
  int key_bits = 0;
  int64_t blocks_shared = 0;  // SelectInGroups' shared memory, besides keys
  int64_t control_bytes = 0;  // what the launches for one group tell each other
  int count_bytes = 0;        // of each of a block's counts
  bool weighs = false;        // then many blocks do a group, whatever its size
};

struct TaskPlan {
  SelectWay way = SelectWay::kNothing;
  GroupsPlan groups;
  DigitsPlan digits;

  int64_t launches() const { return (groups.grid.exists() ? 1 : 0) + digits.launches(); }
};

// `targets`: of a group, that digits are found for together.
inline TaskPlan plan_task(const Groups& groups, int targets, const TaskKernels& kernels,
                          const Limits& limits, Layout& space) {
  TaskPlan plan;
  if (!kernels.weighs && fits_block(groups, SelectionPath::kAuto, limits)) {
    plan.way = SelectWay::kBlocks;
    plan.groups = plan_groups(groups, kernels.element_bytes, kernels.key_bytes,
                              kernels.blocks_shared, limits);
  } else {
    plan.way = SelectWay::kDigits;
    plan_passes(kernels.key_bits, targets, kernels.count_bytes, plan.digits);
    plan_digit_launches(groups.groups(), groups.length * kernels.element_bytes,
                        kernels.control_bytes, kernels.weighs, limits, plan.digits, space);
  }
  return plan;
}

}  // namespace cuda
}  // namespace tailops
