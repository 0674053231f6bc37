#pragma once

// The mean of a group's values between two places of their order:
//
//   M = Σ mᵢ·v₍ᵢ₎ / Σ mᵢ,  mᵢ = |[i, i + 1] ∩ [begin, end]|
//
// Equal values share the masses of their positions equally, so that ∂M/∂v of an element is its
// weight: its mass by the sum of all. Which elements these are two order statistics tell; or, for
// what is at least a threshold, the threshold and how many there are.

#include <cmath>
#include <cstdint>
#include <limits>

#include "core/host_device.h"
#include "formulas/primitives.h"

namespace tailops {

enum class RangeKind {
  kBetween,  // from the fraction a of the elements to the fraction b
  kLargest,  // the k largest; k need not be whole
  kAtLeast,  // what is at least θ, but no fewer than the m largest; with all that tie
};

constexpr const char* kRangeKindNames[] = {"between", "largest", "at_least"};

// Of a RangeKind: a and b; k and nothing; θ and m.
struct RangeBounds {
  double first;
  double second;
};

// Whether there is such a range in a group of any size. NaN: no.
TAILOPS_HOST_DEVICE bool is_range(RangeKind kind, const RangeBounds& bounds) {
  switch (kind) {
    case RangeKind::kBetween:
      return 0.0 <= bounds.first && bounds.first < bounds.second && bounds.second <= 1.0;
    case RangeKind::kLargest:
      return bounds.first > 0.0 && std::isfinite(bounds.first);
    default:
      return bounds.first == bounds.first && bounds.second >= 1.0;
  }
}

// And in one of n elements, n > 0.
TAILOPS_HOST_DEVICE bool has_range(RangeKind kind, const RangeBounds& bounds, int64_t n) {
  return is_range(kind, bounds) &&
         (kind != RangeKind::kLargest || bounds.first <= static_cast<double>(n));
}

// Places between elements: position i is [i, i + 1].
struct PositionRange {
  double begin;
  double end;

  TAILOPS_HOST_DEVICE double mass() const { return end - begin; }

  // Of `count` positions from `first` on.
  TAILOPS_HOST_DEVICE double mass_of(int64_t first, int64_t count) const {
    const double low = static_cast<double>(first), high = low + static_cast<double>(count);
    const double from = low > begin ? low : begin, to = high < end ? high : end;
    return to > from ? to - from : 0.0;
  }

  // Of the elements that it begins and ends in.
  TAILOPS_HOST_DEVICE int64_t first_rank() const { return static_cast<int64_t>(std::floor(begin)); }
  TAILOPS_HOST_DEVICE int64_t last_rank() const { return static_cast<int64_t>(std::ceil(end)) - 1; }

  // Whether nothing is left out below; above, of n elements.
  TAILOPS_HOST_DEVICE bool is_open_below() const { return begin <= 0.0; }
  TAILOPS_HOST_DEVICE bool is_open_above(int64_t n) const { return end >= static_cast<double>(n); }
};

// 0.29 · 100 is 28.999999999999996: without this, position 28 would have a trace of mass.
TAILOPS_HOST_DEVICE double whole_if_nearly(double place) {
  constexpr double kRounding = 4.0 * std::numeric_limits<double>::epsilon();
  const double whole = std::floor(place + 0.5);
  return std::fabs(place - whole) <= kRounding * whole ? whole : place;
}

// Of kBetween and kLargest, among n elements; what is not empty for has_range().
TAILOPS_HOST_DEVICE PositionRange position_range(RangeKind kind, const RangeBounds& bounds,
                                                 int64_t n) {
  const double all = static_cast<double>(n);
  if (kind == RangeKind::kLargest) return {all - bounds.first, all};
  const PositionRange range{whole_if_nearly(bounds.first * all),
                            whole_if_nearly(bounds.second * all)};
  if (range.begin < range.end) return range;
  // Too narrow for its number of elements: the element that it is in.
  const double first = std::fmin(std::floor(range.begin), all - 1.0);
  return {first, first + 1.0};
}

// For kAtLeast: the rank of the m-th largest of n elements.
TAILOPS_HOST_DEVICE int64_t rank_of_least_kept(const RangeBounds& bounds, int64_t n) {
  const double least = static_cast<double>(n) - std::ceil(bounds.second);
  return least > 0.0 ? static_cast<int64_t>(least) : 0;
}

// The ranks of the elements that a range among n ends in, of kAtLeast the one that is kept in any
// case. Of an open end, nobody needs it: there it is the other's.
struct RangePlaces {
  PositionRange range;  // but of kAtLeast
  bool open_below;
  bool open_above;
  int64_t lower;
  int64_t upper;
};

TAILOPS_HOST_DEVICE RangePlaces range_places(RangeKind kind, const RangeBounds& bounds, int64_t n) {
  if (kind == RangeKind::kAtLeast) {
    const int64_t least = rank_of_least_kept(bounds, n);
    return {{0.0, 0.0}, false, true, least, least};
  }
  const PositionRange range = position_range(kind, bounds, n);
  RangePlaces places{range, range.is_open_below(), range.is_open_above(n), range.first_rank(),
                     range.last_rank()};
  if (places.open_below) places.lower = places.open_above ? 0 : places.upper;
  if (places.open_above) places.upper = places.lower;
  return places;
}

// What the forward pass leaves for the backward pass, one per group; float64 holds every compute
// type exactly. The weight of an element: 0 outside of [lower, upper].
struct RangeState {
  double lower;
  double upper;
  double lower_weight;  // of one that is equal to lower
  double upper_weight;
  double between_weight;
};
constexpr int64_t kRangeColumns = sizeof(RangeState) / sizeof(double);

// An element of a group: its value, how many are smaller, and how many are equal to it.
struct RangeEnd {
  double value;
  int64_t smaller;
  int64_t ties;
};

// Nothing bounds an open end: there `value` is infinite, and no element counts as equal to it.
TAILOPS_HOST_DEVICE RangeEnd open_below() {
  return {-std::numeric_limits<double>::infinity(), 0, 0};
}
TAILOPS_HOST_DEVICE RangeEnd open_above() {
  return {std::numeric_limits<double>::infinity(), 0, 0};
}

// The element whose weight a value has that is equal to both: below, an end may be open where the
// upper one is −∞ as well.
TAILOPS_HOST_DEVICE RangeEnd what_is_at_lower(const RangeEnd& lower, const RangeEnd& upper) {
  const bool is_upper = lower.ties == 0 && lower.value == upper.value;
  return {lower.value, is_upper ? upper.smaller : lower.smaller,
          is_upper ? upper.ties : lower.ties};
}

TAILOPS_HOST_DEVICE RangeState range_state(const PositionRange& range, const RangeEnd& lower,
                                           const RangeEnd& upper) {
  const double between = 1.0 / range.mass();
  const auto weight_at = [&](const RangeEnd& end) {
    if (end.ties == 0) return between;
    return range.mass_of(end.smaller, end.ties) / static_cast<double>(end.ties) * between;
  };
  return {lower.value, upper.value, weight_at(what_is_at_lower(lower, upper)), weight_at(upper),
          between};
}

// Of `kept` elements that are at least the threshold.
TAILOPS_HOST_DEVICE RangeState range_state_at_least(double threshold, int64_t kept) {
  const double weight = 1.0 / static_cast<double>(kept);
  return {threshold, std::numeric_limits<double>::infinity(), weight, weight, weight};
}

// The same, of weights that are each divided by `unit`.
TAILOPS_HOST_DEVICE RangeState per_unit(const RangeState& state, double unit) {
  return {state.lower, state.upper, state.lower_weight / unit, state.upper_weight / unit,
          state.between_weight / unit};
}

// Of a group of which nothing is left: no element has a weight.
TAILOPS_HOST_DEVICE RangeState empty_range_state() { return {0.0, 0.0, 0.0, 0.0, 0.0}; }

TAILOPS_HOST_DEVICE RangeState nan_range_state() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {nan, nan, nan, nan, nan};
}

// M, from the sum of what is strictly between its ends; beyond an open end, of all there is.
TAILOPS_HOST_DEVICE double range_mean(const RangeState& state, double between_sum,
                                      const RangeEnd& lower, const RangeEnd& upper) {
  const auto part = [](const RangeEnd& end, double weight) {
    return product_or_zero(weight * static_cast<double>(end.ties), end.value);
  };
  const double of_upper = lower.value == upper.value ? 0.0 : part(upper, state.upper_weight);
  return product_or_zero(state.between_weight, between_sum) +
         part(what_is_at_lower(lower, upper), state.lower_weight) + of_upper;
}

// The weights as the backward pass applies them, scaled by what arrives at M.
template <typename C>
struct RangeWeights {
  C lower;
  C upper;
  C at_lower;
  C at_upper;
  C between;
};

template <typename C>
TAILOPS_HOST_DEVICE RangeWeights<C> range_weights(const RangeState& state, double arriving) {
  const auto scaled = [&](double weight) {
    return static_cast<C>(product_or_zero(weight, arriving));
  };
  return {static_cast<C>(state.lower), static_cast<C>(state.upper), scaled(state.lower_weight),
          scaled(state.upper_weight), scaled(state.between_weight)};
}

inline namespace TAILOPS_TARGET {

// Of one element, or a vector of them. Where the ends are NaN, so is every weight.
template <typename V, typename C>
TAILOPS_HOST_DEVICE V range_weight(V value, const RangeWeights<C>& of) {
  V weight = choose(value == of.upper, V{} + of.at_upper, V{} + of.between);
  weight = choose(value == of.lower, V{} + of.at_lower, weight);
  return choose((value < of.lower) | (value > of.upper), V{}, weight);
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
