#pragma once

// The plan of a selection: what cuda/loss/forward_plan.h is for the loss. Arithmetic for the host;
// no CUDA.

#include <algorithm>
#include <cstdint>
#include <string>

#include "call/quantile.h"
#include "core/host_device.h"
#include "cuda/quantile/digits_plan.h"

namespace tailops {
namespace cuda {

enum class SelectWay {
  kNothing,  // no group, or no q
  kBlocks,   // a block for each group, or for some columns
  kDigits,   // many blocks for each group
};

constexpr const char* kSelectWayNames[] = {"nothing", "blocks", "digits"};

// What the plan must know of the kernels.
struct SelectKernels {
  int64_t element_bytes = 0;
  int64_t key_bytes = 0;
  int key_bits = 0;
  int64_t blocks_shared = 0;  // SelectInGroups' shared memory, besides keys
  int64_t control_bytes = 0;  // what the launches for one group tell each other
  int64_t few_q = 0;          // as many of the host's are arguments of a kernel
  int64_t q_of_a_launch = 0;  // of more, as many as a launch puts into the device's memory
};

struct SelectPlan {
  SelectWay way = SelectWay::kNothing;

  // Of more q than a few, in the host's memory: a launch for each so many.
  Array stored;
  device::Grid store;
  int64_t stores = 0;

  // A block for each.
  device::Grid groups;
  int columns = 0;     // that a block reads together
  int64_t cached = 0;  // keys of a group that there is shared memory for

  DigitsPlan digits;

  int64_t workspace_bytes = 0;

  int64_t launches() const { return stores + (groups.exists() ? 1 : 0) + digits.launches(); }
};

// Of the keys of a column, where there are several. Odd: neighbours' are in different banks.
TAILOPS_HOST_DEVICE int64_t column_stride(int64_t length) { return length | 1; }

// What memory delivers at once, as long as there are blocks enough for the device, and no more than
// there is room for.
inline int columns_together(const SelectionGeometry& geometry, int64_t element_bytes, int64_t most,
                            const Limits& limits) {
  constexpr int64_t kDelivered = 32;
  const int64_t enough =
      geometry.groups() / (limits.groups_per_multiprocessor * limits.multiprocessors);
  const int64_t wanted = std::min(kDelivered / element_bytes, geometry.inner);
  return static_cast<int>(std::max<int64_t>(1, std::min({wanted, enough, most})));
}

inline void plan_blocks(const SelectionGeometry& geometry, int threads,
                        const SelectKernels& kernels, const Limits& limits, SelectPlan& plan) {
  const int64_t room = room_in_shared_memory(limits, kernels.blocks_shared, kernels.key_bytes);
  const int64_t stride = column_stride(geometry.length);
  plan.columns = columns_together(geometry, kernels.element_bytes, room / stride, limits);
  const int64_t keys = plan.columns == 1 ? std::min(geometry.length, room) : plan.columns * stride;
  plan.cached = std::min(geometry.length, keys);
  const int64_t tiles = geometry.outer * ceiling(geometry.inner, plan.columns);
  plan.groups = {std::min(tiles, limits.most_blocks), 1, threads, keys * kernels.key_bytes};
}

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
  Geometry shape;
  shape.outer = geometry.outer;
  shape.length = geometry.length;
  shape.inner = geometry.inner;
  if (fits_block(shape, SelectionPath::kAuto, limits)) {
    plan.way = SelectWay::kBlocks;
    plan_blocks(geometry, threads_for_group(shape, limits.most_group_threads, limits), kernels,
                limits, plan);
  } else {
    plan.way = SelectWay::kDigits;
    plan_passes(kernels.key_bits, q_count, interpolates(options.method) ? 2 : 1, plan.digits);
    plan_digit_launches(geometry.groups(), geometry.length * kernels.element_bytes,
                        kernels.control_bytes, limits, plan.digits, space);
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
  to.add("SelectInGroups", plan.groups);
  to.add("columns", plan.columns);
  to.add("cached", plan.cached);
  print(plan.digits, to);
  return to.text();
}

inline bool operator==(const SelectPlan& a, const SelectPlan& b) {
  return to_string(a) == to_string(b);
}

}  // namespace cuda
}  // namespace tailops
