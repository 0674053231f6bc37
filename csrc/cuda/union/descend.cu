// The search through a union, which is the same for every element type.

#include "cuda/union/descend.h"
#include "cuda/union/union.h"

namespace tailops {
namespace cuda {
void union_descend(const Options& options, const UnionRound& round, int64_t groups,
                   const int64_t* counts, const UnionSearch* before, UnionSearch* after,
                   void* stream) {
  launch_descent(RanksOfLoss{threshold_of(options)}, round, groups, counts, before, after, stream);
}

void union_range_descend(RangeKind kind, const Bounds& bounds, const UnionRound& round,
                         int64_t groups, const int64_t* counts, const UnionSearch* before,
                         UnionSearch* after, void* stream) {
  launch_descent(RanksOfRange{kind, argument_of(bounds)}, round, groups, counts, before, after,
                 stream);
}

}  // namespace cuda
}  // namespace tailops
