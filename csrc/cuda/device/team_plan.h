#pragma once

// The threads that do a group each, where blocks do not share one.

#include <algorithm>
#include <cstdint>

#include "call/geometry.h"
#include "cuda/device/printed.h"
#include "cuda/device/shares.h"

namespace tailops {
namespace cuda {

struct TeamPlan {
  static constexpr int kShortThreads = 128;

  // What a block's teams need of shared memory at most, besides keys: for their selection, and in
  // front of and behind their keys.
  static constexpr int64_t besides(int lanes) { return lanes == 32 ? 9 << 10 : 15 << 10; }

  int width = 0;    // lanes of a warp; or 0: a block
  int threads = 0;  // of a block
  int64_t teams = 0;
  int64_t blocks = 0;
};

// A few elements for each lane: what else there is to do for a group is the same for any number of
// them. 0: a block's.
inline int lanes_for(const Geometry& geometry, const Limits& limits, int64_t key_bytes) {
  constexpr int kFewest = 4, kWarp = 32, kPerLane = 4;
  const int64_t n = geometry.length, groups = geometry.groups();
  if (n > limits.short_elements) return 0;
  int lanes = kFewest;
  while (lanes < kWarp && lanes * kPerLane < n) lanes *= 2;
  if (groups < limits.short_groups_per_multiprocessor * limits.multiprocessors) {
    if (n > kWarp * kPerLane) return 0;
    lanes = kWarp;
  }
  const int64_t keys = TeamPlan::kShortThreads / lanes * n * key_bytes;
  return keys != 0 && keys + TeamPlan::besides(lanes) > limits.shared_bytes ? 0 : lanes;
}

// `key_bytes`: what teams keep of each element in shared memory, or 0.
inline TeamPlan plan_teams(const Geometry& geometry, const Limits& limits, int64_t key_bytes) {
  TeamPlan plan;
  plan.width = lanes_for(geometry, limits, key_bytes);
  if (plan.width == 0) {
    plan.threads = threads_for_group(geometry, limits.most_group_threads, limits);
    plan.teams = 1;
  } else {
    plan.threads = threads_for(geometry.groups() * plan.width, TeamPlan::kShortThreads, 1);
    plan.teams = plan.threads / plan.width;
  }
  plan.blocks = std::min(ceiling(geometry.groups(), plan.teams), limits.most_blocks);
  return plan;
}

// So many keys of a team there should be room for, if there is room for no more than `most`: for
// all of a group, wherever it begins in a vector, or for some vectors of it.
inline int64_t keys_with_room(int64_t length, int64_t most, int64_t vector) {
  return std::min(length + 2 * (vector - 1), most) / vector * vector;
}

inline void print(const TeamPlan& plan, Printed& to) {
  to.add("width", plan.width);
  to.add("teams", plan.teams);
}

}  // namespace cuda
}  // namespace tailops
