#pragma once

// How threads go over columns, groups of which neighbours lie side by side: each stays in its
// column, and a warp's are neighbours, so that what memory delivers at once is used at once.

#include "core/host_device.h"
#include "cuda/device/plan.h"

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

// Columns that a block reads together and keeps in shared memory, where each of its warps then does
// one after the other. No fewer than memory delivers at once.
struct TilePlan {
  TilePlan() = default;
  // `shared_bytes` is what there is for keys; vectors of them have so many.
  TilePlan(const Geometry& geometry, int64_t element_bytes, int64_t key_bytes, int64_t vector,
           int64_t shared_bytes, const Limits& limits) {
    constexpr int64_t kDelivered = 32, kMost = 32, kBanks = 32;
    const int64_t inner = geometry.inner;
    if (inner == 1 || geometry.length < limits.tile_elements) return;
    // Neighbours' keys are in different banks.
    stride = ceiling(geometry.length, kBanks) * kBanks + vector;
    const int64_t room = shared_bytes / (stride * key_bytes);
    width = std::min(inner, kDelivered / element_bytes);
    if (width > room) {
      width = 0;
      return;
    }
    const auto blocks_of = [&](int64_t columns) {
      return geometry.outer * ceiling(inner, columns);
    };
    while (2 * width <= std::min({inner, kMost, room / 2}) &&
           blocks_of(2 * width) >= 2 * limits.multiprocessors) {
      width *= 2;
    }
    across = ceiling(inner, width);
    width = ceiling(inner, across);
    tiles = geometry.outer * across;
    blocks = std::min(tiles, limits.most_blocks);
  }

  bool fits() const { return width != 0; }

  int64_t width = 0;  // or 0: a block has no room for them
  int64_t across = 0;
  int64_t stride = 0;  // of the keys of a column
  int64_t tiles = 0;
  int64_t blocks = 0;
};

}  // namespace cuda
}  // namespace tailops
