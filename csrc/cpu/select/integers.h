#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/executor.h"
#include "cpu/select/row.h"
#include "cpu/simd/loops.h"

namespace tailops {

// 64-bit integers: the standard library's selection, in a copy.
template <typename T>
class IntegerSelector {
 public:
  using C = T;

  void select(const Row<T>& row, const std::vector<int64_t>& ranks, Ranked<C>* found,
              Executor&) const {
    std::vector<T> copy(row.data(), row.data() + row.count());
    auto from = copy.begin();
    for (const int64_t rank : ranks) {
      const auto at = copy.begin() + rank;
      std::nth_element(from, at, copy.end());
      *found++ = {*at, 0, 1};
      from = at;
    }
  }
};

}  // namespace tailops
