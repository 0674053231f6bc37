#pragma once

// What sums are multiplied with: means are over the elements that are not ignored, and only the
// data tells how many these are.

#include "call/means.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/problem.h"

namespace tailops {

// Of the one output, from the groups' states.
template <typename T>
double scalar_factor(const Problem<T>& problem, const GroupState* state) {
  const Geometry& geometry = problem.geometry;
  if (!divides_by_valid(geometry, problem.ignoring.any)) return geometry.mean_factor;
  double valid = 0.0;
  for (int64_t g = 0; g < geometry.groups(); ++g) valid += state[g].valid;
  return factor_of_mean(valid);
}

// Of the output that is a group.
template <typename T>
double mean_factor_of_group(const Problem<T>& problem, const GroupState& state) {
  const Geometry& geometry = problem.geometry;
  return divides_by_valid(geometry, problem.ignoring.any) ? factor_of_mean(state.valid)
                                                          : geometry.mean_factor;
}

// Of one output of several.
template <typename T>
double mean_factor(const Problem<T>& problem, int64_t row, Executor& executor) {
  const Geometry& geometry = problem.geometry;
  const int64_t length = geometry.row_length;
  if (!divides_by_valid(geometry, problem.ignoring.any)) return geometry.mean_factor;
  const Group<T> elements{problem.elements.from(row * length), 1, length, problem.ignoring};
  return factor_of_mean(static_cast<double>(length - count_ignored(elements, executor)));
}

}  // namespace tailops
