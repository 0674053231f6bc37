#pragma once

// The plan of a backward pass: what forward_plan.h is for the forward one.

#include <algorithm>
#include <cstdint>
#include <string>

#include "call/geometry.h"
#include "call/means.h"
#include "call/options.h"
#include "cuda/device/column_plan.h"
#include "cuda/device/printed.h"
#include "cuda/loss/rows_plan.h"
#include "cuda/loss/way.h"

namespace tailops {
namespace cuda {

struct BackwardPlan {
  static constexpr int64_t kSlopeBytes = 40;

  Way way = Way::kGrid;
  bool to_scalar = false;     // one output
  bool sums_samples = false;  // as forward

  // Mean factors, before the inputs may be overwritten: of each row, or of the one output.
  Array row_factors;
  RowsPlan rows;
  Array scalar_factor;
  device::Grid find_scalar_factor;

  // Σ upstream·∂L/∂t of each column or group that is not a team's; then the gradient.
  Array slopes;
  device::Grid add_slopes;
  device::Grid pass;
  ColumnPlan columns;
  TeamPlan teams;

  int64_t workspace_bytes = 0;

  int64_t launches() const {
    return rows.launches() + (find_scalar_factor.exists() ? 1 : 0) + (add_slopes.exists() ? 1 : 0) +
           1;
  }
};

// Columns in the order of memory, or blocks that share a group. Returns how many sums of slopes
// there are.
inline int64_t plan_shared_pass(const Geometry& geometry, int64_t element_bytes,
                                const Limits& limits, BackwardPlan& plan) {
  if (geometry.inner > 1) {
    plan.way = Way::kColumns;
    plan.columns = ColumnPlan(geometry.outer, geometry.length, geometry.inner, limits);
    plan.pass = plan.columns.grid();
    return geometry.groups() * plan.columns.parts;
  }
  const int64_t blocks = blocks_of_group(geometry, element_bytes, limits);
  plan.pass = {blocks, geometry.groups(), limits.grid_threads, 0};
  return geometry.groups() * blocks;
}

inline void plan_slopes(int64_t sums, BackwardPlan& plan, Layout& space) {
  plan.slopes = space.add(sums, BackwardPlan::kSlopeBytes);
  plan.add_slopes = plan.pass;
}

// With sums over the groups of which each knows its own, more blocks than one for each are faster.
inline void plan_pass(const Geometry& geometry, bool needs_slopes, int64_t element_bytes,
                      const Limits& limits, BackwardPlan& plan, Layout& space) {
  if (geometry.inner == 1 && fits_block(geometry, SelectionPath::kAuto, limits) &&
      (needs_slopes || are_many(geometry, limits))) {
    plan.teams = plan_teams(geometry, limits, 0);
    plan.way = way_of(plan.teams);
    plan.pass = {plan.teams.blocks, 1, plan.teams.threads, 0};
    return;
  }
  const int64_t sums = plan_shared_pass(geometry, element_bytes, limits, plan);
  if (needs_slopes) plan_slopes(sums, plan, space);
}

// `ignores`: whether there may be elements that are not valid.
inline BackwardPlan plan_backward(const Geometry& of_call, const Options& options, bool ignores,
                                  int64_t element_bytes, int64_t compute_bytes,
                                  const Limits& limits) {
  BackwardPlan plan;
  plan.sums_samples = must_sum_samples(of_call, ignores);
  const Geometry geometry = plan.sums_samples ? by_sample(of_call) : of_call;
  const bool to_scalar = plan.to_scalar = geometry.reduces_to_scalar();
  const bool needs_slopes = options.gradient == GradientMode::kExact && !to_scalar;
  Layout space;
  plan_pass(geometry, needs_slopes, element_bytes, limits, plan, space);
  if (divides_by_valid(geometry, ignores)) {
    if (!to_scalar) {
      plan.row_factors = space.add(geometry.rows(), compute_bytes);
      plan.rows = plan_rows(geometry.rows(), geometry.row_length, limits, space);
    } else if (geometry.groups() > 1) {
      plan.scalar_factor = space.add(1, sizeof(double));
      plan.find_scalar_factor = {1, 1, threads_for(geometry.groups(), limits.most_group_threads),
                                 0};
    }
  }
  plan.workspace_bytes = space.bytes();
  return plan;
}

// Launches by the names of their kernels.
inline std::string to_string(const BackwardPlan& plan) {
  const bool in_columns = plan.way == Way::kColumns, in_grid = plan.way == Way::kGrid;
  Printed to;
  to.add("way", name_of(plan.way));
  to.add("launches", plan.launches());
  to.add("workspace", plan.workspace_bytes);
  to.add("to_scalar", plan.to_scalar);
  to.add("sums_samples", plan.sums_samples);
  to.add("row_factors", plan.row_factors);
  print(plan.rows, "RowFactors", to);
  to.add("scalar_factor", plan.scalar_factor);
  to.add("ScalarFactor", plan.find_scalar_factor);
  to.add("slopes", plan.slopes);
  to.add(in_columns ? "ColumnSlopes" : "GridSlopes", plan.add_slopes);
  const char* const pass = in_columns ? "ColumnBackward"
                           : in_grid  ? "GridBackward"
                                      : "GroupBackward";
  to.add(kernel_name(pass, plan.way, plan.to_scalar), plan.pass);
  print(plan.columns, to);
  print(plan.teams, to);
  return to.text();
}

inline bool operator==(const BackwardPlan& a, const BackwardPlan& b) {
  return to_string(a) == to_string(b);
}

}  // namespace cuda
}  // namespace tailops
