#pragma once

// Sums whose bits do not depend on the number of threads: blocks of fixed size, each added up by
// one thread, and the blocks' sums added in the order of the blocks.

#include <cstdint>
#include <vector>

#include "core/executor.h"
#include "cpu/pass/group.h"

namespace tailops {

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

template <typename T>
int64_t count_ignored(const Group<T>& group, Executor& executor) {
  if (!group.ignoring.any) return 0;
  return block_sum<int64_t>(
      group.length, [&](int64_t begin, int64_t end) { return group.count_ignored(begin, end); },
      executor);
}

// Splits [0, blocks) into at most one part per thread; fill(partial, begin, end) each, then
// merge(into, from) in order. For results that are exact however they are split.
template <typename Partial, typename Fill, typename Merge>
Partial reduce_parts(int64_t blocks, const Fill& fill, const Merge& merge, Executor& executor) {
  const int64_t most = std::max<int64_t>(1, blocks * kBlockLength / kParallelElements);
  const int64_t parts = std::clamp<int64_t>(executor.concurrency(), 1, most);
  std::vector<Partial> partials(static_cast<size_t>(parts));
  parallel_for(executor, parts, blocks * kBlockLength / parts, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      fill(partials[static_cast<size_t>(p)], blocks * p / parts, blocks * (p + 1) / parts);
    }
  });
  for (size_t p = 1; p < partials.size(); ++p) merge(partials[0], partials[p]);
  return std::move(partials[0]);
}

}  // namespace tailops
