#pragma once

// How groups are done by a block each, or some columns by one. Arithmetic for the host; no CUDA.

#include <algorithm>
#include <cstdint>
#include <string>

#include "call/groups.h"
#include "core/host_device.h"
#include "cuda/device/ceiling.h"
#include "cuda/device/grid.h"
#include "cuda/device/printed.h"
#include "cuda/device/shares.h"

namespace tailops {
namespace cuda {

struct GroupsPlan {
  device::Grid grid;
  int columns = 0;     // that a block reads together
  int64_t cached = 0;  // keys of a group that there is shared memory for
};

// Of the keys of a column, where there are several. Odd: neighbours' are in different banks.
TAILOPS_HOST_DEVICE int64_t column_stride(int64_t length) { return length | 1; }

// What memory delivers at once, as long as there are blocks enough for the device, and no more than
// there is room for.
inline int columns_together(const Groups& groups, int64_t element_bytes, int64_t most,
                            const Limits& limits) {
  constexpr int64_t kDelivered = 32;
  const int64_t enough =
      groups.groups() / (limits.groups_per_multiprocessor * limits.multiprocessors);
  const int64_t wanted = std::min(kDelivered / element_bytes, groups.inner);
  return static_cast<int>(std::max<int64_t>(1, std::min({wanted, enough, most})));
}

// `besides`: shared memory that the kernel needs for other than keys.
inline GroupsPlan plan_groups(const Groups& groups, int64_t element_bytes, int64_t key_bytes,
                              int64_t besides, const Limits& limits) {
  GroupsPlan plan;
  const int64_t room = room_in_shared_memory(limits, besides, key_bytes);
  const int64_t stride = column_stride(groups.length);
  plan.columns = columns_together(groups, element_bytes, room / stride, limits);
  const int64_t keys = plan.columns == 1 ? std::min(groups.length, room) : plan.columns * stride;
  plan.cached = std::min(groups.length, keys);
  const int64_t tiles = groups.outer * ceiling(groups.inner, plan.columns);
  const int threads = threads_for_group(groups, limits.most_group_threads, limits);
  plan.grid = {std::min(tiles, limits.most_blocks), 1, threads, keys * key_bytes};
  return plan;
}

inline void print(const GroupsPlan& plan, const std::string& task, Printed& to) {
  to.add("SelectInGroups<" + task + '>', plan.grid);
  to.add("columns", plan.columns);
  to.add("cached", plan.cached);
}

}  // namespace cuda
}  // namespace tailops
