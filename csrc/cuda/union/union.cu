// The search through a union of one element type, TAILOPS_ELEMENT, and its range means.

#include "cuda/device/limits_of_device.h"
#include "cuda/union/descend.h"
#include "cuda/union/histogram.h"
#include "cuda/union/range.h"
#include "cuda/union/remember.h"
#include "cuda/union/union.h"
#include "cuda/union/window.h"

namespace tailops {
namespace cuda {

template <typename T>
void union_histogram(const Inputs<T>& inputs, const Geometry& geometry, const Options& options,
                     const UnionRound& round, const UnionSearch* search, int64_t* counts,
                     void* stream) {
  launch_histogram(Call<T>(inputs, geometry, options), round, search, counts, limits_of_device(),
                   stream);
}

template <typename T>
void union_states(const Options& options, int64_t groups, const UnionSearch* search,
                  GroupState* state, void* stream) {
  const UnionStates<ComputeType<T>> states{threshold_of(options), groups, search, state};
  launch_each(states, groups, stream);
}

template <typename T>
int64_t union_range_workspace(const SelectionGeometry& geometry) {
  return plan_range_sums(geometry, sizeof(T), limits_of_device()).workspace_bytes;
}

template <typename T>
void union_range_sums(const T* values, const bool* mask, const SelectionGeometry& geometry,
                      RangeKind kind, const Bounds& bounds, const UnionSearch* search,
                      UnionRangeSums* sums, void* workspace, void* stream) {
  const RangeSumsPlan plan = plan_range_sums(geometry, sizeof(T), limits_of_device());
  launch_range_sums(SumShare<T>{geometry, values, mask, kind, argument_of(bounds), plan.parts,
                                search, plan.sums.in<UnionRangeSums>(workspace)},
                    plan, sums, stream);
}

template <typename T>
void union_range_mean(RangeKind kind, const Bounds& bounds, int64_t groups,
                      const UnionSearch* search, const UnionRangeSums* sums, T* mean,
                      RangeState* state, void* stream) {
  const MeansOfUnion<T> means{kind, argument_of(bounds), groups, search, sums, mean, state};
  launch_each(means, groups, stream);
}

template <typename T>
void remember(const Inputs<T>& batch, const Geometry& geometry, const Options& options,
              const Window<const ComputeType<T>>& before, bool frozen,
              const Window<ComputeType<T>>& after, void* stream) {
  launch_remember(Call<T>(batch, geometry, options), before, frozen, after, limits_of_device(),
                  stream);
}

using Element = TAILOPS_ELEMENT;
template void union_histogram<Element>(const Inputs<Element>&, const Geometry&, const Options&,
                                       const UnionRound&, const UnionSearch*, int64_t*, void*);
template void union_states<Element>(const Options&, int64_t, const UnionSearch*, GroupState*,
                                    void*);
template int64_t union_range_workspace<Element>(const SelectionGeometry&);
template void union_range_sums<Element>(const Element*, const bool*, const SelectionGeometry&,
                                        RangeKind, const Bounds&, const UnionSearch*,
                                        UnionRangeSums*, void*, void*);
template void union_range_mean<Element>(RangeKind, const Bounds&, int64_t, const UnionSearch*,
                                        const UnionRangeSums*, Element*, RangeState*, void*);

template void remember<Element>(const Inputs<Element>&, const Geometry&, const Options&,
                                const Window<const ComputeType<Element>>&, bool,
                                const Window<ComputeType<Element>>&, void*);

}  // namespace cuda
}  // namespace tailops
