#pragma once

// Which order statistics make the threshold: rank rules and interpolation, in float64 or integer
// arithmetic only. ⌊n·p⌋ in float32 is wrong from n ≈ 1e7.

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace tailops {

// threshold = factor · ((1 − weight)·e₍lower₎ + weight·e₍lower + 1₎), ranks 0-based and ascending.
struct Rank {
  int64_t lower;
  double weight;
  double factor;

  // The last of them that counts.
  TAILOPS_HOST_DEVICE int64_t upper() const { return lower + (weight == 0.0 ? 0 : 1); }
};

namespace rank_rules {

TAILOPS_HOST_DEVICE int64_t clamp_rank(double rank, int64_t n) {
  const int64_t r = static_cast<int64_t>(rank);
  return r < 0 ? 0 : (r < n ? r : n - 1);
}

TAILOPS_HOST_DEVICE Rank floor(int64_t n, double p) {
  return {clamp_rank(std::floor(static_cast<double>(n) * p), n), 0.0, 1.0};
}

// NumPy's, on the rank p·(n − 1).
TAILOPS_HOST_DEVICE double numpy_rank(int64_t n, double p) {
  return p * static_cast<double>(n - 1);
}

TAILOPS_HOST_DEVICE Rank lower(int64_t n, double p) {
  return {clamp_rank(std::floor(numpy_rank(n, p)), n), 0.0, 1.0};
}

TAILOPS_HOST_DEVICE Rank higher(int64_t n, double p) {
  return {clamp_rank(std::ceil(numpy_rank(n, p)), n), 0.0, 1.0};
}

// Half to even.
TAILOPS_HOST_DEVICE Rank nearest(int64_t n, double p) {
  const double rank = numpy_rank(n, p);
  const double below = std::floor(rank);
  const double rest = rank - below;
  const bool odd = std::fmod(below, 2.0) != 0.0;
  const bool up = rest > 0.5 || (rest == 0.5 && odd);
  return {clamp_rank(up ? below + 1.0 : below, n), 0.0, 1.0};
}

TAILOPS_HOST_DEVICE Rank midpoint(int64_t n, double p) {
  const double rank = numpy_rank(n, p);
  const int64_t below = clamp_rank(std::floor(rank), n);
  return {below, rank == std::floor(rank) || below == n - 1 ? 0.0 : 0.5, 1.0};
}

// Between the two elements around a rank; the first or the last where one of them is missing.
TAILOPS_HOST_DEVICE Rank interpolated(int64_t n, double rank) {
  if (rank >= static_cast<double>(n - 1)) return {n - 1, 0.0, 1.0};
  if (!(rank > 0.0)) return {0, 0.0, 1.0};
  const double below = std::floor(rank);
  return {static_cast<int64_t>(below), rank - below, 1.0};
}

TAILOPS_HOST_DEVICE Rank linear(int64_t n, double p) { return interpolated(n, numpy_rank(n, p)); }

// Hyndman and Fan's other eight, in NumPy's operations: another order of them is another element
// where n·p is rounded to a whole number, or is not.

// 1-based among n, less 1.
TAILOPS_HOST_DEVICE double inverse_rank(int64_t n, double p) {
  return static_cast<double>(n) * p - 1.0;
}

TAILOPS_HOST_DEVICE Rank inverted_cdf(int64_t n, double p) {
  return {clamp_rank(std::ceil(inverse_rank(n, p)), n), 0.0, 1.0};
}

// The mean of two where the distribution function is p between them.
TAILOPS_HOST_DEVICE Rank averaged_inverted_cdf(int64_t n, double p) {
  const double rank = inverse_rank(n, p);
  const bool whole = rank == std::floor(rank);
  return interpolated(n, whole ? rank + 0.5 : std::ceil(rank));
}

// Half to an even place, counted from 1: to an odd rank, counted from 0.
TAILOPS_HOST_DEVICE Rank closest_observation(int64_t n, double p) {
  const double rank = inverse_rank(n, p) - 0.5;
  const double below = std::floor(rank);
  const bool odd = std::fmod(below, 2.0) != 0.0;
  return {clamp_rank(rank == below && odd ? below : below + 1.0, n), 0.0, 1.0};
}

// The rank n·p + α + p(1 − α − β) − 1 for α = β; α = 1 is "linear".
TAILOPS_HOST_DEVICE double plotting_rank(int64_t n, double p, double alpha) {
  return static_cast<double>(n) * p + (alpha + p * (1.0 - alpha - alpha)) - 1.0;
}

// α = 0, β = 1.
TAILOPS_HOST_DEVICE Rank interpolated_inverted_cdf(int64_t n, double p) {
  return interpolated(n, inverse_rank(n, p));
}

TAILOPS_HOST_DEVICE Rank hazen(int64_t n, double p) {
  return interpolated(n, plotting_rank(n, p, 0.5));
}

TAILOPS_HOST_DEVICE Rank weibull(int64_t n, double p) {
  return interpolated(n, plotting_rank(n, p, 0.0));
}

TAILOPS_HOST_DEVICE Rank median_unbiased(int64_t n, double p) {
  return interpolated(n, plotting_rank(n, p, 1.0 / 3.0));
}

TAILOPS_HOST_DEVICE Rank normal_unbiased(int64_t n, double p) {
  return interpolated(n, plotting_rank(n, p, 3.0 / 8.0));
}

}  // namespace rank_rules

// All of them, in the order of their indices, and whether they may be between two elements. To add
// one, write it above and append it here.
// clang-format off
#define TAILOPS_RANK_RULES(APPLY)         \
  APPLY(floor, false)                     \
  APPLY(lower, false)                     \
  APPLY(higher, false)                    \
  APPLY(nearest, false)                   \
  APPLY(midpoint, true)                   \
  APPLY(linear, true)                     \
  APPLY(inverted_cdf, false)              \
  APPLY(averaged_inverted_cdf, true)      \
  APPLY(closest_observation, false)       \
  APPLY(interpolated_inverted_cdf, true)  \
  APPLY(hazen, true)                      \
  APPLY(weibull, true)                    \
  APPLY(median_unbiased, true)            \
  APPLY(normal_unbiased, true)
// clang-format on

struct RankRule {
  const char* name;
  Rank (*rank)(int64_t n, double p);
  bool interpolates;
};

#define TAILOPS_LIST(NAME, INTERPOLATES) {#NAME, rank_rules::NAME, INTERPOLATES},
constexpr RankRule kRankRules[] = {TAILOPS_RANK_RULES(TAILOPS_LIST)};
#undef TAILOPS_LIST

// By index, without a pointer to a function: a device cannot follow those of the host.
TAILOPS_HOST_DEVICE Rank rank_by(int rule, int64_t n, double p) {
#define TAILOPS_TRY(NAME, INTERPOLATES) \
  if (rule-- == 0) return rank_rules::NAME(n, p);
  TAILOPS_RANK_RULES(TAILOPS_TRY)
#undef TAILOPS_TRY
  return {0, 0.0, 1.0};
}

// Which threshold a group has: `factor` times what the rule makes of its percentile.
struct Threshold {
  int rank_rule;  // index into kRankRules
  double percentile;
  double factor;

  TAILOPS_HOST_DEVICE Rank rank(int64_t n) const {
    Rank rank = rank_by(rank_rule, n, percentile);
    rank.factor = factor;
    return rank;
  }
};

// NumPy's interpolation, operation for operation, so that finite results have the same bits: the
// difference in T, the rest in float64. Where that difference is not finite, NumPy's arithmetic
// leaves the numbers (∞ − ∞, ∞ · 0, ∞ for two that are finite). There it is the weighted sum, of
// which no part overflows: an infinite element makes it that infinity, and two opposite ones NaN.
template <typename T>
TAILOPS_HOST_DEVICE T interpolate(T lower, T upper, const Rank& rank) {
  const double below = static_cast<double>(lower), above = static_cast<double>(upper);
  double value = below;
  if (rank.weight != 0.0 && lower != upper) {
    const double gap = static_cast<double>(static_cast<T>(upper - lower));
    if (std::isinf(gap)) {
      value = below * (1.0 - rank.weight) + above * rank.weight;
    } else {
      value = rank.weight < 0.5 ? below + gap * rank.weight : above - gap * (1.0 - rank.weight);
    }
  }
  return static_cast<T>(rank.factor * value);
}

}  // namespace tailops
