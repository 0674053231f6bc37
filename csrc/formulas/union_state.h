#pragma once

// What the search through a union found of a loss's group, and what its replicas add up for the
// gradient of its threshold.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/host_device.h"
#include "core/ordered_bits.h"
#include "formulas/rank.h"
#include "formulas/state.h"
#include "formulas/tie.h"
#include "formulas/union_search.h"

namespace tailops {

// The element that a finished search found.
template <typename C>
TAILOPS_HOST_DEVICE C element_of(const UnionTarget& target) {
  using Key = typename OrderedBits<C>::Key;
  return OrderedBits<C>::decode(static_cast<Key>(target.prefix));
}

TAILOPS_HOST_DEVICE UnionRanks ranks_of(const Threshold& threshold, int64_t valid) {
  const Rank rank = threshold.rank(valid);
  return {rank.lower, rank.upper()};
}

// The state that one device would have with all of the union's elements.
template <typename C>
TAILOPS_HOST_DEVICE GroupState union_state(const UnionSearch& search, const Threshold& threshold) {
  if (search.valid == 0) return GroupState{};
  const double valid = static_cast<double>(search.valid);
  const Rank rank = threshold.rank(search.valid);
  if (search.nans > 0) {
    const C nan = std::numeric_limits<C>::quiet_NaN();
    return state_of(nan, nan, 1.0, 1.0, rank, valid);
  }
  return state_of(element_of<C>(search.lower), element_of<C>(search.upper),
                  static_cast<double>(search.lower.ties), static_cast<double>(search.upper.ties),
                  rank, valid);
}

// TiedUpstream in parts so short that adding up those of many replicas rounds nothing away where
// all elements have the same upstream gradient.
struct UnionTiedUpstream {
  double high;
  double low;
  double rest;
};

TAILOPS_HOST_DEVICE UnionTiedUpstream in_parts(const TiedUpstream& upstream) {
  if (!std::isfinite(upstream.sum)) return {upstream.sum, 0.0, upstream.rest};
  constexpr uint64_t kLeading26 = ~uint64_t{0} << 27;
  uint64_t bits;
  memcpy(&bits, &upstream.sum, sizeof(bits));
  bits &= kLeading26;
  double high;
  memcpy(&high, &bits, sizeof(high));
  return {high, upstream.sum - high, upstream.rest};
}

TAILOPS_HOST_DEVICE TiedUpstream together(const UnionTiedUpstream& parts) {
  TiedUpstream upstream{{parts.high, 0.0}};
  upstream.add(parts.low, parts.rest);
  return upstream;
}

// ∂L/∂t of a replica's elements; added up, of the union's. As the rows of an array of float64:
// (groups, kSlopeColumns).
struct UnionSlopes {
  double others;
  UnionTiedUpstream lower;
  UnionTiedUpstream upper;
};
constexpr int64_t kSlopeColumns = sizeof(UnionSlopes) / sizeof(double);

TAILOPS_HOST_DEVICE UnionSlopes slopes_of(const ThresholdGradient& gradient) {
  return {gradient.others, in_parts(gradient.lower), in_parts(gradient.upper)};
}

TAILOPS_HOST_DEVICE ThresholdGradient threshold_gradient_of(const UnionSlopes& slopes) {
  return {{slopes.others, together(slopes.lower), together(slopes.upper)}};
}

}  // namespace tailops
