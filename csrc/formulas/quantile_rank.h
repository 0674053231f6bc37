#pragma once

// Which element of a sorted row a q stands for: a quantile's rank rule, or q is the rank itself.

#include <cstdint>

#include "core/host_device.h"
#include "formulas/rank.h"

namespace tailops {

// Methods are numbered as the rank rules; behind these come two more.
constexpr int kQuantileMethods = sizeof(kRankRules) / sizeof(kRankRules[0]);
constexpr int kByRank = kQuantileMethods;    // 0 is the smallest element
constexpr int kByRankFromTop = kByRank + 1;  // 0 is the largest

TAILOPS_HOST_DEVICE bool is_by_rank(int method) { return method >= kByRank; }

// Whether the row has such an element. NaN: no.
TAILOPS_HOST_DEVICE bool is_selectable(int method, double q, int64_t length) {
  return q >= 0.0 && (is_by_rank(method) ? q < static_cast<double>(length) : q <= 1.0);
}

// Among n elements; where NaN is left out, there may be fewer than a rank in range needs: then the
// last one.
TAILOPS_HOST_DEVICE Rank selection_rank(int method, double q, int64_t n) {
  if (!is_by_rank(method)) return rank_by(method, n, q);
  const double last = static_cast<double>(n - 1);
  const int64_t rank = q >= last ? n - 1 : (q > 0.0 ? static_cast<int64_t>(q) : 0);
  return {method == kByRank ? rank : n - 1 - rank, 0.0, 1.0};
}

// Whether a q may need two elements.
inline bool interpolates(int method) {
  return !is_by_rank(method) && kRankRules[method].interpolates;
}

}  // namespace tailops
