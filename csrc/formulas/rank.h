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

// The rest are NumPy's, on the rank p·(n − 1).
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

TAILOPS_HOST_DEVICE Rank linear(int64_t n, double p) {
  const double rank = numpy_rank(n, p);
  const int64_t below = clamp_rank(std::floor(rank), n);
  return {below, below == n - 1 ? 0.0 : rank - std::floor(rank), 1.0};
}

}  // namespace rank_rules

// All of them, in the order of their indices. To add one, write it above and append it here.
// clang-format off
#define TAILOPS_RANK_RULES(APPLY) \
  APPLY(floor)                    \
  APPLY(lower)                    \
  APPLY(higher)                   \
  APPLY(nearest)                  \
  APPLY(midpoint)                 \
  APPLY(linear)
// clang-format on

struct RankRule {
  const char* name;
  Rank (*rank)(int64_t n, double p);
};

#define TAILOPS_LIST(NAME) {#NAME, rank_rules::NAME},
constexpr RankRule kRankRules[] = {TAILOPS_RANK_RULES(TAILOPS_LIST)};
#undef TAILOPS_LIST

// By index, without a pointer to a function: a device cannot follow those of the host.
TAILOPS_HOST_DEVICE Rank rank_by(int rule, int64_t n, double p) {
#define TAILOPS_TRY(NAME) \
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
