#pragma once

// Which elements the q of a row need.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "call/quantile.h"
#include "formulas/quantile_rank.h"
#include "formulas/rank.h"

namespace tailops {

// Of n elements: the ranks, ascending, and which of these each q has.
struct RankPlan {
  struct Wanted {
    Rank rank;
    size_t lower;
    size_t upper;
  };

  RankPlan(const SelectionOptions& options, const double* q, int64_t q_count, int64_t n) {
    for (int64_t i = 0; i < q_count; ++i) {
      wanted.push_back({selection_rank(options.method, q[i], n), 0, 0});
      ranks.push_back(wanted.back().rank.lower);
      ranks.push_back(wanted.back().rank.upper());
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    for (Wanted& one : wanted) {
      one.lower = place_of(one.rank.lower);
      one.upper = place_of(one.rank.upper());
    }
  }

  std::vector<Wanted> wanted;
  std::vector<int64_t> ranks;

 private:
  size_t place_of(int64_t rank) const {
    return static_cast<size_t>(std::lower_bound(ranks.begin(), ranks.end(), rank) - ranks.begin());
  }
};

}  // namespace tailops
