#pragma once

// A thread's share of columns: see ColumnPlan.

#include "cuda/device/column_plan.h"
#include "cuda/device/strided.h"

namespace tailops {
namespace cuda {

// The thread's place.
struct InColumn {
  bool exists;
  int64_t group;
  int64_t part;    // this block's
  int64_t slot;    // of the column's in this block
  int64_t worker;  // of the column's

  explicit TAILOPS_DEVICE InColumn(const ColumnPlan& plan) {
    const int64_t width = plan.width, block = device::block();
    const int64_t row = device::thread() / width, column = device::thread() % width;
    const int64_t tile = block % plan.across, rest = block / plan.across;
    part = rest % plan.parts;
    slot = row % plan.slots_per_column;
    worker = part * plan.slots_per_column + slot;
    const int64_t matrix = row / plan.slots_per_column;
    const int64_t outer = rest / plan.parts * plan.matrices + matrix;
    const int64_t inner = tile * width + column;
    exists = matrix < plan.matrices && outer < plan.outer && inner < plan.inner;
    group = outer * plan.inner + inner;
  }

  // body(k, value, valid) for every element of this thread's column that is this thread's.
  template <typename Of, typename Body>
  TAILOPS_DEVICE void for_each(const ColumnPlan& plan, const Of& column, const Body& body) const {
    for_each_strided<4>(column, worker, plan.workers(), body);
  }
};

}  // namespace cuda
}  // namespace tailops
