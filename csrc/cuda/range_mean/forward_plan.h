#pragma once

// The plan of a range mean: what cuda/loss/forward_plan.h is for the loss. It depends on shape,
// type and device, never on the bounds. Arithmetic for the host; no CUDA.

#include <cstdint>
#include <string>

#include "call/range_mean.h"
#include "cuda/select/digits_plan.h"
#include "cuda/select/groups_plan.h"

namespace tailops {
namespace cuda {

enum class RangeWay {
  kNothing,  // no group
  kBlocks,   // a block for each group, or for some columns
  kDigits,   // many blocks for each group
};

constexpr const char* kRangeWayNames[] = {"nothing", "blocks", "digits"};

// What the plan must know of the kernels.
struct RangeKernels {
  int64_t element_bytes = 0;
  int64_t key_bytes = 0;
  int key_bits = 0;
  int64_t blocks_shared = 0;  // SelectInGroups' shared memory, besides keys
  int64_t control_bytes = 0;  // what the launches for one group tell each other
  int64_t sum_bytes = 0;      // what a block leaves for the last one
  int targets = 0;            // of a group, which digits are found for
};

struct RangePlan {
  RangeWay way = RangeWay::kNothing;
  GroupsPlan groups;
  DigitsPlan digits;
  Array sums;  // of the blocks of the groups in flight
  int64_t workspace_bytes = 0;

  int64_t launches() const { return (groups.grid.exists() ? 1 : 0) + digits.launches(); }
};

inline RangePlan plan_range(const Groups& groups, const RangeKernels& kernels,
                            const Limits& limits) {
  RangePlan plan;
  if (groups.size() == 0) return plan;
  Layout space;
  if (fits_block(groups, SelectionPath::kAuto, limits)) {
    plan.way = RangeWay::kBlocks;
    plan.groups = plan_groups(groups, kernels.element_bytes, kernels.key_bytes,
                              kernels.blocks_shared, limits);
  } else {
    plan.way = RangeWay::kDigits;
    plan_passes(kernels.key_bits, kernels.targets, plan.digits);
    plan_digit_launches(groups.groups(), groups.length * kernels.element_bytes,
                        kernels.control_bytes, limits, plan.digits, space);
    plan.sums = space.add(plan.digits.at_once * plan.digits.count.blocks, kernels.sum_bytes);
  }
  plan.workspace_bytes = space.bytes();
  return plan;
}

// Launches by the names of their kernels.
inline std::string to_string(const RangePlan& plan) {
  Printed to;
  to.add("way", kRangeWayNames[static_cast<int>(plan.way)]);
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
