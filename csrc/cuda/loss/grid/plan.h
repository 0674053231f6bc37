#pragma once

// The grid for groups that are many blocks' work each, some groups at once, and what its launches
// keep in the workspace.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "call/geometry.h"
#include "call/options.h"
#include "cuda/device/grid.h"
#include "cuda/device/layout.h"
#include "cuda/device/printed.h"
#include "cuda/device/shares.h"

namespace tailops {
namespace cuda {

// What the plan must know of the kernels.
struct GridKernels {
  int64_t element_bytes = 0;
  int64_t compute_bytes = 0;    // of an error, and of its key
  int64_t control_bytes = 0;    // what the launches for one group tell each other
  int64_t bracket_shared = 0;   // FindBracket's shared memory, besides keys
  int64_t resident_blocks = 0;  // of a pass, on a multiprocessor: more would wait for these to end
};

struct GridPlan {
  static constexpr int64_t kSumsBytes = 16;

  int64_t groups_at_once = 0;
  int64_t rounds = 0;   // until all groups are done
  int64_t blocks = 0;   // per group
  int64_t warps = 0;    // of these
  int64_t segment = 0;  // candidates that each warp has room for
  double fitting = 0;   // the share of a group's elements that is likely to fit
  int64_t sample = 0;
  int64_t list = 0;
  int64_t piece = 0;   // elements that a block of descend counts at a time
  int64_t cached = 0;  // keys of the sample that the bracket's block has shared memory for

  // The launches of a round.
  device::Grid draw;  // or none: the bracket's block draws the sample
  device::Grid bracket;
  device::Grid pass;  // of collect, and of the next two
  bool finishes = false;

  Array control;
  Array far;
  Array near;
  Array samples;
  Array lists;
  Array candidate_counts;
  Array candidates;

  int64_t launches() const { return rounds * ((draw.exists() ? 1 : 0) + 3 + (finishes ? 1 : 0)); }
};

// How many candidates a warp may have on average, so that there is room for them in all of some
// thousand warps, but in one call of five: with fewer, what does not fit would be read twice more
// less often, and what would have fitted once more far more often. The root of such a count
// deviates by 1/2 from that of its mean; and what a sample says of the mean may be a quarter off.
inline double likely_to_fit(int64_t segment) {
  constexpr double kDeviations = 3.7;
  const double room = static_cast<double>(segment);
  const double root = std::max(0.0, std::sqrt(room + 1.0) - kDeviations / 2.0);
  return std::min(root * root, 0.75 * room);
}

// So large that the bracket holds about 0.6% of the elements, or a quarter of what is likely to
// fit, where that is more: a percentile's place in a sample of m is certain to
// 3.5 · √(p(1 − p)/m) to both sides.
inline int64_t wanted_sample(int64_t length, double percentile, double fitting, int64_t least,
                             int64_t most) {
  const double held = std::clamp(fitting / 4.0, 0.006, 1.0);
  const auto certain = static_cast<int64_t>(49.0 * percentile * (1.0 - percentile) / (held * held));
  return std::min({length, std::max(certain, least), most});
}

// What each warp, and each group, has room for.
inline void plan_room(const Geometry& geometry, const Options& options, const GridKernels& kernels,
                      const Limits& limits, GridPlan& plan) {
  // 0.98% of the inputs' bytes, and the spare ones.
  const int64_t bytes =
      geometry.length * kernels.element_bytes * 2 / 102 + limits.spare_bytes / plan.groups_at_once;
  plan.segment = std::max<int64_t>(1, bytes / kernels.compute_bytes / plan.warps);
  const int64_t lanes = 16 / kernels.element_bytes;
  const int64_t most_vectors = ceiling(ceiling(geometry.length, lanes), plan.warps * 32);
  plan.fitting = likely_to_fit(plan.segment) / static_cast<double>(most_vectors * lanes * 32);
  plan.sample = wanted_sample(geometry.length, threshold_of(options).percentile, plan.fitting,
                              limits.least_sample,
                              limits.sample_bytes / kernels.compute_bytes / plan.groups_at_once);
  plan.list = std::max<int64_t>(1, limits.most_listed / plan.groups_at_once);
  plan.piece = limits.piece;
}

inline void plan_grid_launches(const GridKernels& kernels, const Limits& limits, GridPlan& plan) {
  const int64_t groups = plan.groups_at_once;
  if (plan.sample > limits.alone_sample) {
    const int64_t blocks =
        std::clamp<int64_t>(ceiling(plan.sample, limits.grid_threads), 1, plan.blocks);
    plan.draw = {blocks, groups, limits.grid_threads, 0};
  }
  plan.cached = std::min(
      plan.sample, room_in_shared_memory(limits, kernels.bracket_shared, kernels.compute_bytes));
  plan.bracket = {1, groups, threads_for(plan.sample, limits.bracket_threads),
                  plan.cached * kernels.compute_bytes};
  plan.pass = {plan.blocks, groups, limits.grid_threads, 0};
}

inline void plan_grid_arrays(const GridKernels& kernels, GridPlan& plan, Layout& space) {
  const int64_t groups = plan.groups_at_once;
  plan.control = space.add(groups, kernels.control_bytes);
  plan.far = space.add(groups * plan.blocks, GridPlan::kSumsBytes);
  plan.near = space.add(groups * plan.blocks, GridPlan::kSumsBytes);
  plan.samples = space.add(groups * plan.sample, kernels.compute_bytes);
  plan.lists = space.add(groups * plan.list, kernels.compute_bytes);
  plan.candidate_counts = space.add(groups * plan.warps, sizeof(unsigned));
  plan.candidates = space.add(groups * plan.warps * plan.segment, kernels.compute_bytes);
}

// `finishes`: there is one output, which takes a launch more.
inline GridPlan plan_grid(const Geometry& geometry, const Options& options, bool finishes,
                          const GridKernels& kernels, const Limits& limits, Layout& space) {
  GridPlan plan;
  plan.groups_at_once = std::min(geometry.groups(), limits.most_groups_at_once);
  plan.rounds = ceiling(geometry.groups(), plan.groups_at_once);
  const int64_t per_multiprocessor = std::max<int64_t>(
      1, std::min(limits.blocks_per_multiprocessor, kernels.resident_blocks) / plan.groups_at_once);
  plan.blocks = blocks_for(geometry.length * kernels.element_bytes, limits, per_multiprocessor);
  plan.warps = plan.blocks * limits.grid_threads / 32;
  plan.finishes = finishes;
  plan_room(geometry, options, kernels, limits, plan);
  plan_grid_launches(kernels, limits, plan);
  plan_grid_arrays(kernels, plan, space);
  return plan;
}

inline void print(const GridPlan& plan, Printed& to) {
  if (plan.rounds == 0) return;
  to.add("groups_at_once", plan.groups_at_once);
  to.add("rounds", plan.rounds);
  to.add("warps", plan.warps);
  to.add("segment", plan.segment);
  to.add_share("fitting", plan.fitting);
  to.add("sample", plan.sample);
  to.add("list", plan.list);
  to.add("piece", plan.piece);
  to.add("cached", plan.cached);
  to.add("Draw", plan.draw);
  to.add("FindBracket", plan.bracket);
  to.add("Collect", plan.pass);
  to.add("Descend", plan.pass);
  if (plan.finishes) to.add("Finish", plan.pass);
  to.add("control", plan.control);
  to.add("far", plan.far);
  to.add("near", plan.near);
  to.add("samples", plan.samples);
  to.add("lists", plan.lists);
  to.add("candidate_counts", plan.candidate_counts);
  to.add("candidates", plan.candidates);
}

}  // namespace cuda
}  // namespace tailops
