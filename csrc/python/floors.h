#pragma once

// What no kernel can beat: reading two arrays, and reading two and writing one. For benchmarks.

#include <cstdint>
#include <numeric>
#include <vector>

#include "cpu/pass/group.h"
#include "python/threads_executor.h"

namespace tailops {

// body(begin, end) for blocks of [0, n), on so many threads.
template <typename Body>
void for_each_block(int64_t n, int threads, const Body& body) {
  ThreadsExecutor executor(threads);
  parallel_for(executor, (n + kBlockLength - 1) / kBlockLength, kBlockLength,
               [&](int64_t begin, int64_t end) {
                 body(begin * kBlockLength, std::min(n, end * kBlockLength));
               });
}

inline double read_two(const float* a, const float* b, int64_t n, int threads) {
  constexpr int kLanes = 32;
  std::vector<double> totals(static_cast<size_t>((n + kBlockLength - 1) / kBlockLength));
  for_each_block(n, threads, [&](int64_t begin, int64_t end) {
    float sums[kLanes] = {};
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] - b[i + lane];
    }
    for (; i < end; ++i) sums[0] += a[i] - b[i];
    totals[static_cast<size_t>(begin / kBlockLength)] = std::accumulate(sums, sums + kLanes, 0.0);
  });
  return std::accumulate(totals.begin(), totals.end(), 0.0);
}

inline void read_two_write_one(const float* a, const float* b, float* out, int64_t n, int threads) {
  for_each_block(n, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = a[i] - b[i];
  });
}

}  // namespace tailops
