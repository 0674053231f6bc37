#pragma once

// A range mean of the union of shares: the ends that the search found, and what the replicas add
// up between them.

#include <cstdint>

#include "core/host_device.h"
#include "formulas/range_mean.h"
#include "formulas/union_search.h"
#include "formulas/union_state.h"

namespace tailops {

// As the rows of an array of float64, which holds counts exactly: (groups, kRangeSumColumns).
struct UnionRangeSums {
  double between;  // Σ of what is strictly between the ends
  double smaller;  // of kAtLeast: elements below the threshold,
  double ties;     // and equal to it

  TAILOPS_HOST_DEVICE UnionRangeSums& operator+=(const UnionRangeSums& more) {
    between += more.between;
    smaller += more.smaller;
    ties += more.ties;
    return *this;
  }
};
constexpr int64_t kRangeSumColumns = sizeof(UnionRangeSums) / sizeof(double);

struct UnionRangeEnds {
  RangeEnd lower;
  RangeEnd upper;
};

TAILOPS_HOST_DEVICE UnionRanks ranks_of(RangeKind kind, const RangeBounds& bounds, int64_t valid) {
  const RangePlaces places = range_places(kind, bounds, valid);
  return {places.lower, places.upper};
}

// Where the values are summed between. Of kAtLeast the lower end is the threshold, whichever of the
// two it is; how many are smaller or equal only the sums tell.
template <typename C>
TAILOPS_HOST_DEVICE UnionRangeEnds union_range_ends(RangeKind kind, const RangeBounds& bounds,
                                                    const UnionSearch& search) {
  const RangePlaces places = range_places(kind, bounds, search.valid);
  const auto end = [](const UnionTarget& target) {
    return RangeEnd{static_cast<double>(element_of<C>(target)), target.smaller, target.ties};
  };
  UnionRangeEnds ends{places.open_below ? open_below() : end(search.lower),
                      places.open_above ? open_above() : end(search.upper)};
  if (kind == RangeKind::kAtLeast) {
    const double threshold = static_cast<double>(static_cast<C>(bounds.first));
    ends.lower.value = threshold < ends.lower.value ? threshold : ends.lower.value;
  }
  return ends;
}

struct UnionRangeMean {
  double mean;
  RangeState state;
};

// From the union's sums.
template <typename C>
TAILOPS_HOST_DEVICE UnionRangeMean union_range_mean(RangeKind kind, const RangeBounds& bounds,
                                                    const UnionSearch& search,
                                                    const UnionRangeSums& sums) {
  if (search.valid == 0) return {0.0, empty_range_state()};
  // Where there is no such range, only a device that cannot say so comes here.
  if (search.nans > 0 || !has_range(kind, bounds, search.valid)) {
    return {std::numeric_limits<double>::quiet_NaN(), nan_range_state()};
  }
  UnionRangeEnds ends = union_range_ends<C>(kind, bounds, search);
  RangeState state;
  if (kind == RangeKind::kAtLeast) {
    ends.lower.smaller = static_cast<int64_t>(sums.smaller);
    ends.lower.ties = static_cast<int64_t>(sums.ties);
    state = range_state_at_least(ends.lower.value, search.valid - ends.lower.smaller);
  } else {
    state = range_state(range_places(kind, bounds, search.valid).range, ends.lower, ends.upper);
  }
  return {range_mean(state, sums.between, ends.lower, ends.upper), state};
}

}  // namespace tailops
