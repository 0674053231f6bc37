#pragma once

// How threads go over columns, groups of which neighbours lie side by side: each stays in its
// column, and a warp's are neighbours, so that what memory delivers at once is used at once.

#include <algorithm>
#include <cstdint>

#include "core/host_device.h"
#include "cuda/device/ceiling.h"
#include "cuda/device/grid.h"
#include "cuda/device/limits.h"
#include "cuda/device/printed.h"

namespace tailops {
namespace cuda {

// A block has `width` columns and `slots` rows of threads. Each of the `workers` of a column has
// every workers-th of its elements: they are the slots of several blocks, or some of one's, which
// then has more than one matrix of columns.
struct ColumnPlan {
  ColumnPlan() = default;
  ColumnPlan(int64_t outer_count, int64_t length, int64_t inner_count, const Limits& limits)
      : outer(outer_count), inner(inner_count) {
    constexpr int64_t kFewest = 16;    // elements of a thread: it computes what is their column's
    constexpr int64_t kPerPart = 128;  // elements of a part, of which the sum takes memory
    threads = limits.grid_threads;
    across = ceiling(inner, threads);
    width = ceiling(inner, across);
    if (across > 1) width = std::min(ceiling(width, 32) * 32, threads);
    across = ceiling(inner, width);
    slots = threads / width;
    const int64_t most_threads =
        limits.multiprocessors * limits.blocks_per_multiprocessor * threads * 2;
    const int64_t most = std::max<int64_t>(1, most_threads / std::max<int64_t>(1, outer * inner));
    const int64_t wanted = std::clamp<int64_t>(length / kFewest, 1, most);
    parts = std::min(ceiling(wanted, slots), std::max<int64_t>(1, length / kPerPart));
    slots_per_column = parts > 1 ? slots : std::min(wanted, slots);
    matrices = std::min(outer, slots / slots_per_column);
  }

  int64_t blocks() const { return ceiling(outer, matrices) * parts * across; }
  device::Grid grid() const { return {blocks(), 1, static_cast<int>(threads), 0}; }
  TAILOPS_HOST_DEVICE int64_t workers() const { return slots_per_column * parts; }

  int64_t outer = 0;
  int64_t inner = 0;
  int64_t threads = 0;
  int64_t width = 0;
  int64_t across = 0;            // tiles of so many columns
  int64_t slots = 0;             // rows of threads
  int64_t parts = 0;             // blocks that share a column
  int64_t slots_per_column = 0;  // of one block
  int64_t matrices = 0;          // a block has columns of so many
};

inline void print(const ColumnPlan& plan, Printed& to) {
  to.add("outer", plan.outer);
  to.add("inner", plan.inner);
  to.add("threads", plan.threads);
  to.add("columns", plan.width);
  to.add("across", plan.across);
  to.add("slots", plan.slots);
  to.add("parts", plan.parts);
  to.add("slots_per_column", plan.slots_per_column);
  to.add("matrices", plan.matrices);
}

}  // namespace cuda
}  // namespace tailops
