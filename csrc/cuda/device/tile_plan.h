#pragma once

// Columns that a block reads together and keeps in shared memory, where each of its warps then does
// one after the other. No fewer than memory delivers at once.

#include <algorithm>
#include <cstdint>

#include "call/geometry.h"
#include "cuda/device/ceiling.h"
#include "cuda/device/limits.h"
#include "cuda/device/printed.h"

namespace tailops {
namespace cuda {

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

inline void print(const TilePlan& plan, Printed& to) {
  to.add("tile_width", plan.width);
  to.add("tiles_across", plan.across);
  to.add("stride", plan.stride);
  to.add("tiles", plan.tiles);
}

}  // namespace cuda
}  // namespace tailops
