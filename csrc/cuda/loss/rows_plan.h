#pragma once

// The launches that make something of each row of a tensor: one, or two where rows are so long that
// they are done in parts.

#include <algorithm>
#include <cstdint>
#include <string>

#include "cuda/device/grid.h"
#include "cuda/device/layout.h"
#include "cuda/device/printed.h"
#include "cuda/device/shares.h"

namespace tailops {
namespace cuda {

// From here on a row is a warp's, and below a thread's.
constexpr int64_t kWarpRow = 32;

struct RowsPlan {
  static constexpr int64_t kSumBytes = 16;

  int64_t count = 0;
  int64_t length = 0;
  int64_t part = 0;   // elements of one
  int64_t parts = 0;  // of a row
  Array sums;         // of the parts
  device::Grid add;
  device::Grid add_parts;

  int launches() const { return (add.exists() ? 1 : 0) + (add_parts.exists() ? 1 : 0); }
};

inline RowsPlan plan_rows(int64_t count, int64_t length, const Limits& limits, Layout& space) {
  constexpr int64_t kWarp = 32;
  RowsPlan plan;
  plan.count = count;
  plan.length = length;
  plan.part = limits.row_part;
  plan.parts = ceiling(length, plan.part);
  const int64_t threads = length < kWarpRow ? count : count * plan.parts * kWarp;
  const int64_t most = limits.multiprocessors * limits.blocks_per_multiprocessor * 2;
  plan.add.blocks = std::clamp<int64_t>(ceiling(threads, limits.grid_threads), 1, most);
  plan.add.rows = 1;
  plan.add.threads = limits.grid_threads;
  if (plan.parts > 1) {
    plan.sums = space.add(count * plan.parts, RowsPlan::kSumBytes);
    plan.add_parts = {count, 1, threads_for(plan.parts, limits.grid_threads), 0};
  }
  return plan;
}

// `of`: what is made of a row's sum.
inline void print(const RowsPlan& plan, const std::string& of, Printed& to) {
  to.add("rows", plan.count);
  to.add("row_length", plan.length);
  to.add("row_part", plan.part);
  to.add("row_parts", plan.parts);
  to.add("row_sums", plan.sums);
  to.add("AddRows<" + of + ">", plan.add);
  to.add("AddParts<" + of + ">", plan.add_parts);
}

}  // namespace cuda
}  // namespace tailops
