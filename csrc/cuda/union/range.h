#pragma once

// A range mean of a union: what a share has between the ends, and the mean from the sums of all.

#include "cuda/device/layout.h"
#include "cuda/device/per_group.h"
#include "cuda/device/shares.h"
#include "cuda/device/vectors.h"
#include "cuda/range_mean/call.h"
#include "formulas/union_range.h"

namespace tailops {
namespace cuda {

// Some blocks for each group.
template <typename T>
struct SumShare : Groups {
  using C = ComputeType<T>;
  using Elements = MaskedValues<T>;
  using B = Batch<Elements>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {
    UnionRangeSums of_warps[kMostWarps];
  };

  const T* values;
  const bool* mask;  // or null
  RangeKind kind;
  BoundsArgument bounds;
  int64_t parts;              // blocks of a group
  const UnionSearch* search;  // [groups]
  UnionRangeSums* sums;       // [groups][parts]

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::block() / parts, part = device::block() % parts;
    const UnionRangeSums sum = block_reduce(share_of(g, part), shared.of_warps, Add());
    if (device::thread() == 0) sums[device::block()] = sum;
  }

 private:
  TAILOPS_DEVICE UnionRangeSums share_of(int64_t g, int64_t part) const {
    UnionRangeSums sum{};
    const RangeBounds of = bounds.get();
    const UnionSearch& own = search[g];
    if (own.nans > 0 || own.valid == 0 || !has_range(kind, of, own.valid)) return sum;
    const RangePlaces places = range_places(kind, of, own.valid);
    const UnionRangeEnds ends = union_range_ends<C>(kind, of, own);
    const C lower = static_cast<C>(ends.lower.value), upper = static_cast<C>(ends.upper.value);
    const bool open_below = places.open_below, open_above = places.open_above;
    const bool counts = kind == RangeKind::kAtLeast;
    const int64_t first = first_of(g);
    const Vectors vectors(
        Elements{{values + first, inner, length}, mask == nullptr ? nullptr : mask + first});
    unsigned smaller = 0, ties = 0;
    vectors.for_each(part * device::threads() + device::thread(), parts * device::threads(),
                     [&](const B& batch) {
                       TAILOPS_UNROLL
                       for (int j = 0; j < B::kSize; ++j) {
                         if (!(batch.valid >> j & 1u)) continue;
                         const C value = widen(batch.values[j]);
                         if ((open_below || value > lower) && (open_above || value < upper)) {
                           sum.between += static_cast<double>(value);
                         }
                         if (!counts) continue;
                         smaller += value < lower ? 1u : 0u;
                         ties += value == lower ? 1u : 0u;
                       }
                     });
    sum.smaller = static_cast<double>(smaller);
    sum.ties = static_cast<double>(ties);
    return sum;
  }
};

struct SumsAsTheyAre {
  TAILOPS_DEVICE UnionRangeSums operator()(const UnionRangeSums& sums) const { return sums; }
};

struct RangeSumsPlan {
  int64_t parts = 0;  // blocks of a group
  Array sums;
  int64_t workspace_bytes = 0;
};

inline RangeSumsPlan plan_range_sums(const Groups& groups, int64_t element_bytes,
                                     const Limits& limits) {
  RangeSumsPlan plan;
  if (groups.size() == 0) return plan;
  Layout space;
  plan.parts = blocks_of_group(groups, element_bytes, limits);
  plan.sums = space.add(groups.groups() * plan.parts, sizeof(UnionRangeSums));
  plan.workspace_bytes = space.bytes();
  return plan;
}

template <typename T>
void launch_range_sums(const SumShare<T>& share, const RangeSumsPlan& plan, UnionRangeSums* sums,
                       void* stream) {
  const int64_t groups = share.groups();
  if (plan.parts != 0) {
    device::launch(share, {groups * plan.parts, 1, SumShare<T>::kMostThreads, 0}, stream);
  }
  add_parts_of_groups<SumsAsTheyAre>({plan.parts, plan.parts, 1}, share.sums, groups, sums, stream);
}

// A thread for each group.
template <typename T>
struct MeansOfUnion {
  static constexpr int kMostThreads = 128;
  static constexpr int kLeastBlocks = 1;
  struct Shared {};

  RangeKind kind;
  BoundsArgument bounds;
  int64_t groups;
  const UnionSearch* search;
  const UnionRangeSums* sums;
  T* mean;
  RangeState* state;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const int64_t g = group_of_thread();
    if (g >= groups) return;
    const UnionRangeMean found =
        union_range_mean<ComputeType<T>>(kind, bounds.get(), search[g], sums[g]);
    mean[g] = narrow<T>(found.mean);
    state[g] = found.state;
  }
};

}  // namespace cuda
}  // namespace tailops
