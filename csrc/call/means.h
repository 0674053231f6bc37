#pragma once

// Means are over the elements that are not ignored: which outputs that concerns, known from the
// shape, for the kernels of every device.

#include "call/geometry.h"
#include "core/host_device.h"

namespace tailops {

TAILOPS_HOST_DEVICE double factor_of_mean(double valid) { return valid == 0.0 ? 0.0 : 1.0 / valid; }

// Whether only the data tells what an output's sum is multiplied with.
inline bool divides_by_valid(const Geometry& geometry, bool ignores) {
  return ignores && geometry.rows_are_means() && geometry.row_length > 1;
}

// Sums of means, each over as many elements as are not ignored: the means are needed one by one.
inline bool must_sum_samples(const Geometry& geometry, bool ignores) {
  return ignores && !geometry.rows_are_means() && geometry.sample_length > 1;
}

inline Geometry by_sample(Geometry geometry) {
  geometry.row_length = geometry.sample_length;
  geometry.mean_factor = 1.0 / static_cast<double>(geometry.sample_length);
  return geometry;
}

}  // namespace tailops
