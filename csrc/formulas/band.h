#pragma once

// Where the indicator is neither 0 nor 1: within half_width of the threshold. Outside, replacing it
// by 0 or 1 changes loss and gradient by less than the last bit of their sum:
//   s·h and s·|e|·h′ ≤ s(1 + 2κ|e|)·exp(−2κ|e − t|) < 2^−(digits + 2).
// With κ = 0 nothing is; of a hard step all is but what is equal to the threshold.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/host_device.h"
#include "formulas/parameters.h"

namespace tailops {

// Where a group's threshold is, as far as a sample tells: between low and high. Outside of
// [band_low, band_high] the indicator is 0 or 1 to rounding, wherever the threshold turns out to
// be.
template <typename C>
struct Bracket {
  C band_low;
  C low;
  C high;
  C band_high;
};

// A known threshold, and how steep the step there is; lower and upper are the order statistics that
// it is made of. V is a number, or as many as there are groups side by side.
template <typename V>
struct TailOf {
  V threshold;
  V steepness;
  V lower;
  V upper;
  V band_low;
  V band_high;
};

template <typename C>
using Tail = TailOf<C>;

// visit(number...) for each number of one tail, or of several side by side.
template <typename Visit, typename... Tails>
void visit_tails(const Visit& visit, Tails&... tails) {
  visit(tails.threshold...);
  visit(tails.steepness...);
  visit(tails.lower...);
  visit(tails.upper...);
  visit(tails.band_low...);
  visit(tails.band_high...);
}

// The least n with x < 2ⁿ, of a normal number: frexp() would be a call, and there may be a group
// every few elements.
TAILOPS_HOST_DEVICE int power_above(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return static_cast<int>(bits >> 52 & 0x7ff) - 1022;
}

// Of two numbers the first if it is smaller, or larger: not fmin() and fmax(), which are calls.
template <typename C>
TAILOPS_HOST_DEVICE C lesser(C a, C b) {
  return a < b ? a : b;
}
template <typename C>
TAILOPS_HOST_DEVICE C greater(C a, C b) {
  return a > b ? a : b;
}

// Of no width around an infinite threshold: all else is infinitely far; nor of a hard step.
template <typename C>
TAILOPS_HOST_DEVICE C band_half_width(C steepness, C error_scale, C magnitude) {
  if (std::isinf(magnitude) || std::isinf(steepness)) return C(0);
  const double slope = steepness, s = error_scale;
  const double bits = std::numeric_limits<C>::digits + 2;
  const double factor = 1.0 + s * (1.0 + slope * static_cast<double>(magnitude));
  if (!std::isfinite(factor)) return static_cast<C>(factor);
  return static_cast<C>((bits + power_above(factor)) * 0.6931471805599453 / slope);
}

// Of an end of a bracket; an infinite one says nothing.
template <typename C>
TAILOPS_HOST_DEVICE C finite_magnitude(C end) {
  return std::isinf(end) ? C(0) : std::fabs(end);
}

// Around every threshold that an order statistic in [low, high] can make: `factor` times it, at
// most 1. low and high may be infinite: then there is no bound on that side.
template <typename C>
TAILOPS_HOST_DEVICE Bracket<C> with_band(C low, C high, double factor, const LossParameters<C>& w) {
  constexpr C kInfinity = std::numeric_limits<C>::infinity();
  if (w.smoothing_factor == C(0)) return {-kInfinity, low, high, kInfinity};
  const C magnitude = greater(finite_magnitude(low), finite_magnitude(high));
  C half = band_half_width(w.steepness_at(magnitude), w.error_scale, magnitude);
  // With κ in 1/t the band grows as the threshold does. Where it is as wide, a threshold that may
  // be infinitely far may have everything in its band.
  const bool is_open = low != high && (std::isinf(low) || std::isinf(high));
  if (is_open && w.unit == SmoothingUnit::kThreshold && half >= magnitude) half = kInfinity;
  return {lesser(static_cast<C>(factor * low) - half, low), low, high,
          greater(static_cast<C>(factor * high), high) + half};
}

// The band holds lower and upper too, wherever they are: the threshold's gradient goes to them. An
// infinite error is outside, so that it has no derivative, unless it is the threshold itself.
template <typename C>
TAILOPS_HOST_DEVICE Tail<C> tail_of(C threshold, C lower, C upper, const LossParameters<C>& w) {
  constexpr C kInfinity = std::numeric_limits<C>::infinity(), kMax = std::numeric_limits<C>::max();
  const C steepness = w.steepness_at(threshold);
  if (steepness == C(0)) return {threshold, steepness, lower, upper, -kInfinity, kInfinity};
  const C half = band_half_width(steepness, w.error_scale, static_cast<C>(std::fabs(threshold)));
  const C finite_low = greater(threshold - half, -kMax);
  const C finite_high = lesser(threshold + half, kMax);
  return {
      threshold, steepness, lower, upper, lesser(finite_low, lower), greater(finite_high, upper)};
}

}  // namespace tailops
