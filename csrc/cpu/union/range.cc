#include <algorithm>
#include <limits>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/pass/copied_columns.h"
#include "cpu/select/row.h"
#include "cpu/simd/loops.h"
#include "cpu/union/union.h"

namespace tailops {
namespace {

template <typename T>
class RangeShare {
 public:
  using C = ComputeType<T>;

  RangeShare(const T* values, const bool* mask, const SelectionGeometry& geometry, RangeKind kind,
             const RangeBounds& bounds, const UnionSearch* search, UnionRangeSums* sums)
      : values_(values),
        mask_(mask),
        geometry_(geometry),
        kind_(kind),
        bounds_(bounds),
        search_(search),
        sums_(sums) {}

  void run(Executor& executor) const {
    if (geometry_.size() == 0) {
      std::fill_n(sums_, geometry_.groups(), UnionRangeSums{});
      return;
    }
    for_each_row(values_, mask_, geometry_, executor,
                 [&](const T* values, const bool* mask, int64_t group, Executor& inside) {
                   row(values, mask, group, inside);
                 });
  }

 private:
  // As a bound of a sum: it bounds nothing.
  static constexpr C kOpen = std::numeric_limits<C>::quiet_NaN();

  void row(const T* values, const bool* mask, int64_t group, Executor& executor) const {
    const UnionSearch& search = search_[group];
    sums_[group] = {};
    if (search.valid == 0 || search.nans > 0) return;
    const RangePlaces places = range_places(kind_, bounds_, search.valid);
    const UnionRangeEnds ends = union_range_ends<C>(kind_, bounds_, search);
    const C lower = places.open_below ? kOpen : static_cast<C>(ends.lower.value);
    const C upper = places.open_above ? kOpen : static_cast<C>(ends.upper.value);
    const Row<T> of(values, mask, geometry_.length, loops_, executor);
    sums_[group] = block_sum<UnionRangeSums>(
        geometry_.length,
        [&](int64_t begin, int64_t) {
          UnionRangeSums sums{};
          of.for_each_block(
              begin / kBlockLength, begin / kBlockLength + 1,
              [&](const C* numbers, int64_t n) { add(numbers, n, lower, upper, sums); });
          return sums;
        },
        executor);
  }

  void add(const C* numbers, int64_t n, C lower, C upper, UnionRangeSums& sums) const {
    sums.between += loops_.sum_between(numbers, n, lower, upper);
    if (kind_ != RangeKind::kAtLeast) return;
    C between[kBlockLength + kSlack];
    const Split<C> split = loops_.split(numbers, n, lower, lower, between);
    sums.smaller += static_cast<double>(split.below);
    sums.ties += static_cast<double>(split.at_low);
  }

  const T* values_;
  const bool* mask_;
  const SelectionGeometry& geometry_;
  const RangeKind kind_;
  const RangeBounds& bounds_;
  const UnionSearch* search_;
  UnionRangeSums* sums_;
  const Loops<T>& loops_ = loops_of<T>(0);
};

}  // namespace

template <typename T>
void union_range_sums(const T* values, const bool* mask, const SelectionGeometry& geometry,
                      RangeKind kind, const RangeBounds& bounds, const UnionSearch* search,
                      UnionRangeSums* sums, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  RangeShare<T>(values, mask, geometry, kind, bounds, search, sums).run(executor);
}

template <typename T>
void union_range_mean(RangeKind kind, const RangeBounds& bounds, int64_t groups,
                      const UnionSearch* search, const UnionRangeSums* sums, T* mean,
                      RangeState* state) {
  const KeepSubnormals guard;
  for (int64_t g = 0; g < groups; ++g) {
    const UnionRangeMean found = union_range_mean<ComputeType<T>>(kind, bounds, search[g], sums[g]);
    mean[g] = narrow<T>(found.mean);
    state[g] = found.state;
  }
}

#define TAILOPS_INSTANTIATE(T, ...)                                                             \
  template void union_range_sums<T>(const T*, const bool*, const SelectionGeometry&, RangeKind, \
                                    const RangeBounds&, const UnionSearch*, UnionRangeSums*,    \
                                    Executor&);                                                 \
  template void union_range_mean<T>(RangeKind, const RangeBounds&, int64_t, const UnionSearch*, \
                                    const UnionRangeSums*, T*, RangeState*);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
