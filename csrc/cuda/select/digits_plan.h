#pragma once

// How the order statistics of large groups are found: digit by digit, each a pass over the group
// for several of them at once. Arithmetic for the host; no CUDA.

#include <algorithm>
#include <cstdint>
#include <string>

#include "cuda/device/ceiling.h"
#include "cuda/device/grid.h"
#include "cuda/device/layout.h"
#include "cuda/device/printed.h"
#include "cuda/device/shares.h"

namespace tailops {
namespace cuda {

// A target is one order statistic.
constexpr int kMostTargets = 32;  // a warp has a lane for each
// Targets whose leading digits are the same share the counts of their next one. So much of a
// block's shared memory is theirs: of 4 bytes, digits of 11 bits for up to four targets that share
// none.
constexpr int kDigitBytes = 32 << 10;
constexpr int kWidestDigit = 11;
constexpr int kNarrowestDigit = 3;

struct DigitsPlan {
  int digit_bits = 0;
  int passes = 0;       // one for each digit
  int64_t counts = 0;   // of a group
  int64_t at_once = 0;  // groups in flight
  int64_t rounds = 0;   // until all groups are done
  device::Grid clear;   // the launches of a round
  device::Grid weigh;   // where elements have weights
  device::Grid count;
  Array control;
  Array all_counts;

  // Of targets that are looked for together.
  int64_t launches() const { return rounds * (1 + (weigh.exists() ? 1 : 0) + passes); }
};

// As wide as there is room for the counts of all targets; of 64 bits, 7 would leave a last digit of
// one.
inline void plan_passes(int key_bits, int targets, int count_bytes, DigitsPlan& plan) {
  int widest = kWidestDigit;
  while (targets * count_bytes << widest > kDigitBytes) --widest;
  plan.digit_bits = static_cast<int>(ceiling(key_bits, ceiling(key_bits, widest)));
  const auto left = [&] { return (key_bits - 1) % plan.digit_bits + 1; };  // for the last one
  while (left() < kNarrowestDigit) --plan.digit_bits;
  plan.passes = static_cast<int>(ceiling(key_bits, plan.digit_bits));
  plan.counts = targets << plan.digit_bits;
}

// As many groups in flight as their counts may take of the workspace.
inline void plan_digit_launches(int64_t groups, int64_t group_bytes, int64_t control_bytes,
                                bool weighs, const Limits& limits, DigitsPlan& plan,
                                Layout& space) {
  constexpr int64_t kCountBytes = sizeof(uint64_t);
  plan.at_once =
      std::clamp<int64_t>(limits.spare_bytes / (control_bytes + plan.counts * kCountBytes), 1,
                          std::min(groups, limits.most_groups_at_once));
  plan.rounds = ceiling(groups, plan.at_once);
  plan.control = space.add(plan.at_once, control_bytes);
  plan.all_counts = space.add(plan.at_once * plan.counts, kCountBytes);
  const int64_t per_multiprocessor =
      std::max<int64_t>(1, limits.blocks_per_multiprocessor / plan.at_once);
  plan.count.blocks = blocks_for(group_bytes, limits, per_multiprocessor);
  plan.count.rows = plan.at_once;
  plan.count.threads = limits.grid_threads;
  if (weighs) plan.weigh = plan.count;
  plan.clear = plan.count;
  plan.clear.blocks = std::min(plan.count.blocks, ceiling(plan.counts, limits.grid_threads));
}

// Launches by the names of their kernels, which are of this task.
inline void print(const DigitsPlan& plan, const std::string& name, Printed& to) {
  const std::string task = '<' + name + (plan.weigh.exists() ? "><ByWeight>" : "><Once>");
  to.add("digit_bits", plan.digit_bits);
  to.add("passes", plan.passes);
  to.add("counts", plan.counts);
  to.add("groups_at_once", plan.at_once);
  to.add("rounds", plan.rounds);
  to.add("ClearDigits" + task, plan.clear);
  to.add("LargestWeight" + task, plan.weigh);
  to.add("CountDigits" + task, plan.count);
  to.add("control", plan.control);
  to.add("all_counts", plan.all_counts);
}

}  // namespace cuda
}  // namespace tailops
