// The search through a union, which is the same for every element type.

#include "cuda/union/descend.h"
#include "cuda/union/union.h"

namespace tailops {
namespace cuda {
namespace {

template <typename RanksAmong>
void descend_all(const RanksAmong& ranks_among, const UnionRound& round, int64_t groups,
                 const int64_t* counts, const UnionSearch* before, UnionSearch* after,
                 void* stream) {
  if (groups == 0) return;
  using Descend = DescendUnion<RanksAmong>;
  const Descend all{ranks_among, round, reinterpret_cast<const uint64_t*>(counts), before, after};
  device::launch(all, {groups, 1, Descend::kMostThreads, 0}, stream);
}

}  // namespace

void union_descend(const Options& options, const UnionRound& round, int64_t groups,
                   const int64_t* counts, const UnionSearch* before, UnionSearch* after,
                   void* stream) {
  descend_all(RanksOfLoss{threshold_of(options)}, round, groups, counts, before, after, stream);
}

void union_range_descend(RangeKind kind, const Bounds& bounds, const UnionRound& round,
                         int64_t groups, const int64_t* counts, const UnionSearch* before,
                         UnionSearch* after, void* stream) {
  descend_all(RanksOfRange{kind, argument_of(bounds)}, round, groups, counts, before, after,
              stream);
}

}  // namespace cuda
}  // namespace tailops
