#pragma once

// Groups as rows: where they lie, or, strided in memory, copied some at a time to where each is
// one.

#include <algorithm>
#include <cstdint>
#include <memory>

#include "call/groups.h"
#include "core/executor.h"

namespace tailops {

// Columns [first, first + count) of a matrix of so many rows, one after the other.
template <typename T>
void copy_columns(const T* matrix, const Groups& groups, int64_t first, int64_t count, T* to,
                  Executor& executor) {
  const int64_t length = groups.length, inner = groups.inner;
  parallel_for(executor, length, count, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      for (int64_t c = 0; c < count; ++c) to[c * length + k] = matrix[k * inner + first + c];
    }
  });
}

// body(column, beside, group, inside) for every group, with the column of a second matrix, a mask
// or weights; null where there is none. Each thread has its own copies, unless there are few or
// that would be much memory.
template <typename T, typename Beside, typename Body>
void for_each_copied_column(const T* x, const Beside* beside, const Groups& groups,
                            Executor& executor, const Body& body) {
  constexpr int64_t kAtOnce = 16;  // as many as share a cache line of float32
  constexpr int64_t kMostCopied = int64_t{1} << 22;
  const int64_t length = groups.length, inner = groups.inner;
  const bool side_by_side =
      kAtOnce * length <= kMostCopied && are_side_by_side(groups.groups(), length, executor);
  const int64_t width = std::min(
      inner,
      side_by_side ? neighbours_in_a_task(groups.groups(), length, kAtOnce, executor) : kAtOnce);
  const int64_t across = (inner + width - 1) / width, tasks = groups.outer * across;
  const auto run = [&](int64_t begin, int64_t end, Executor& inside) {
    const auto size = static_cast<size_t>(width * length);
    const std::unique_ptr<T[]> tile(new T[size]);
    const std::unique_ptr<Beside[]> beside_tile(beside == nullptr ? nullptr : new Beside[size]);
    for (int64_t index = begin; index < end; ++index) {
      const int64_t outer = index / across, first = index % across * width;
      const int64_t count = std::min(width, inner - first), matrix = outer * length * inner;
      copy_columns(x + matrix, groups, first, count, tile.get(), inside);
      if (beside != nullptr) {
        copy_columns(beside + matrix, groups, first, count, beside_tile.get(), inside);
      }
      for (int64_t c = 0; c < count; ++c) {
        body(tile.get() + c * length, beside == nullptr ? nullptr : beside_tile.get() + c * length,
             outer * inner + first + c, inside);
      }
    }
  };
  if (!side_by_side) return run(0, tasks, executor);
  parallel_for(executor, tasks, width * length, [&](int64_t begin, int64_t end) {
    SerialExecutor alone;
    run(begin, end, alone);
  });
}

// body(row, beside, group, inside) for every group, as above.
template <typename T, typename Beside, typename Body>
void for_each_row(const T* x, const Beside* beside, const Groups& groups, Executor& executor,
                  const Body& body) {
  if (groups.inner > 1) return for_each_copied_column(x, beside, groups, executor, body);
  const int64_t length = groups.length;
  run_tasks(executor, groups.groups(), length, [&](int64_t begin, int64_t end, Executor& inside) {
    for (int64_t g = begin; g < end; ++g) {
      body(x + g * length, beside == nullptr ? nullptr : beside + g * length, g, inside);
    }
  });
}

}  // namespace tailops
