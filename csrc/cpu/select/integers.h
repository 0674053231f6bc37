#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/executor.h"
#include "cpu/simd/loops.h"

namespace tailops {

// 64-bit integers: the standard library's selection, in a copy.
template <typename T>
class IntegerSelector {
 public:
  using C = T;

  void select(const T* x, int64_t n, const std::vector<int64_t>& ranks, Ranked<C>* found,
              Executor&) const {
    std::vector<T> copy(x, x + n);
    auto from = copy.begin();
    for (const int64_t rank : ranks) {
      const auto at = copy.begin() + rank;
      std::nth_element(from, at, copy.end());
      *found++ = {*at, 0, 1};
      from = at;
    }
  }

  int64_t count_nan(const T*, int64_t, Executor&) const { return 0; }
};

}  // namespace tailops
