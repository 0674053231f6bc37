#pragma once

// Sums whose bits do not depend on the number of threads: blocks of fixed size, each added up by
// one thread in float64, and the blocks' sums added in the order of the blocks.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "executor.h"

namespace tailops {

constexpr int64_t kBlockLength = 8192;

// sum_of(begin, end) returns the Sum of that range; Sum has operator+=.
template <typename Sum, typename SumOf>
Sum block_sum(int64_t n, const SumOf& sum_of, Executor& executor) {
  if (n <= kBlockLength) return sum_of(int64_t{0}, n);
  const int64_t blocks = (n + kBlockLength - 1) / kBlockLength;
  std::vector<Sum> sums(static_cast<size_t>(blocks));
  parallel_for(executor, blocks, kBlockLength, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      sums[static_cast<size_t>(b)] = sum_of(b * kBlockLength, std::min(n, (b + 1) * kBlockLength));
    }
  });
  Sum total = sums[0];
  for (size_t b = 1; b < sums.size(); ++b) total += sums[b];
  return total;
}

}  // namespace tailops
