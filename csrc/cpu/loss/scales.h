#pragma once

// What sums are multiplied with: means are over the elements that are not ignored, and only the
// data tells how many these are.

#include "cpu/pass/block_sum.h"
#include "call/means.h"
#include "cpu/loss/problem.h"
#include "cpu/loss/tail_loss.h"

namespace tailops {

// Of the one output, from the groups' states.
template <typename T>
double scalar_scale(const Problem<T>& problem, const GroupState* state) {
  const Geometry& geometry = problem.geometry;
  if (!scales_by_valid(geometry, problem.ignoring.any)) return geometry.row_scale;
  double valid = 0.0;
  for (int64_t g = 0; g < geometry.groups(); ++g) valid += state[g].valid;
  return mean_scale(valid);
}

// Of the output that is a group.
template <typename T>
double group_scale(const Problem<T>& problem, const GroupState& state) {
  const Geometry& geometry = problem.geometry;
  return scales_by_valid(geometry, problem.ignoring.any) ? mean_scale(state.valid)
                                                         : geometry.row_scale;
}

// Of one output of several.
template <typename T>
double row_scale(const Problem<T>& problem, int64_t row, Executor& executor) {
  const Geometry& geometry = problem.geometry;
  const int64_t length = geometry.row_length;
  if (!scales_by_valid(geometry, problem.ignoring.any)) return geometry.row_scale;
  const Group<T> elements{problem.elements.from(row * length), 1, length, problem.ignoring};
  return mean_scale(static_cast<double>(length - count_ignored(elements, executor)));
}

}  // namespace tailops
