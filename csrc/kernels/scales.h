#pragma once

// What sums are multiplied with: means are over the elements that are not ignored, and only the
// data tells how many these are.

#include <algorithm>

#include "problem.h"
#include "tail_loss.h"

namespace tailops {

inline double mean_scale(double valid) { return valid == 0.0 ? 0.0 : 1.0 / valid; }

// Of the one output, from the groups' states.
template <typename T>
double scalar_scale(const Problem<T>& problem, const GroupState* state) {
  const Geometry& geometry = problem.geometry;
  if (!problem.ignoring.any || !geometry.rows_are_means()) return geometry.row_scale;
  double valid = 0.0;
  for (int64_t g = 0; g < geometry.groups(); ++g) valid += state[g].valid;
  return mean_scale(valid);
}

// Of one output of several.
template <typename T>
double row_scale(const Problem<T>& problem, int64_t row) {
  const Geometry& geometry = problem.geometry;
  const int64_t length = geometry.row_length;
  if (!problem.ignoring.any || length == 1) return geometry.row_scale;
  const Group<T> elements{problem.elements.from(row * length), 1, length, problem.ignoring};
  return mean_scale(static_cast<double>(length - elements.count_ignored()));
}

// Sums of means, each over as many elements as are not ignored: the means are needed one by one.
template <typename T>
bool must_sum_samples(const Problem<T>& problem) {
  const Geometry& geometry = problem.geometry;
  return problem.ignoring.any && !geometry.rows_are_means() && geometry.sample_length > 1;
}

inline Geometry by_sample(Geometry geometry) {
  geometry.row_length = geometry.sample_length;
  geometry.row_scale = 1.0 / static_cast<double>(geometry.sample_length);
  return geometry;
}

}  // namespace tailops
