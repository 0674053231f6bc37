#pragma once

// The plan of a forward pass: which way its groups go, what is launched, and where in the workspace
// everything lies. Known from the shape, the options, the kernels and the device, never from the
// data. Arithmetic for the host; no CUDA.

#include <cstdint>
#include <string>

#include "call/geometry.h"
#include "call/means.h"
#include "call/options.h"
#include "cuda/device/column_plan.h"
#include "cuda/device/printed.h"
#include "cuda/device/tile_plan.h"
#include "cuda/loss/grid/plan.h"
#include "cuda/loss/rows_plan.h"
#include "cuda/loss/way.h"

namespace tailops {
namespace cuda {

// What the plan must know of the kernels, of which there are some for each element type: bytes.
struct ForwardKernels {
  GridKernels grid;
  int64_t columns_shared = 0;  // ColumnForward's shared memory, besides keys
  int64_t lanes_shared = 0;    // GroupForward's likewise, by the team that it has
  int64_t warps_shared = 0;
  int64_t blocks_shared = 0;

  int64_t shared_of(Way way) const {
    return way == Way::kLanes ? lanes_shared : way == Way::kWarps ? warps_shared : blocks_shared;
  }
};

struct ForwardPlan {
  Way way = Way::kGrid;
  bool to_scalar = false;     // one output
  bool sums_samples = false;  // the outputs are sums of means that must be found one by one
  bool writes_rows = false;   // of each group, by the launch that does the groups

  // The groups: one launch for columns and teams, or the grid's.
  device::Grid groups;
  TilePlan tiles;
  TeamPlan teams;
  int64_t room = 0;  // for so many keys of each team there is shared memory
  GridPlan grid;

  // Where one output has the losses of several groups.
  int64_t losses = 0;
  Array group_losses;
  device::Grid totals;

  // Losses that wait for their group's threshold: of the elements of columns, or of rows.
  ColumnPlan columns;
  device::Grid column_losses;
  RowsPlan rows;

  // Of sums of means.
  Array means;
  RowsPlan samples;

  int64_t workspace_bytes = 0;

  int64_t launches() const {
    return (groups.exists() ? 1 : grid.launches()) + (totals.exists() ? 1 : 0) +
           (column_losses.exists() ? 1 : 0) + rows.launches() + samples.launches();
  }
};

// Columns that a block reads together, where there is a block for some.
inline TilePlan plan_tiles(const Geometry& geometry, const Options& options,
                           const ForwardKernels& kernels, const Limits& limits) {
  if (options.selection != SelectionPath::kAuto && !are_many(geometry, limits)) return {};
  const int64_t element = kernels.grid.element_bytes;
  const int64_t room = room_in_shared_memory(limits, kernels.columns_shared, 1);
  return {geometry, element, kernels.grid.compute_bytes, 16 / element, room, limits};
}

// Who does a group; the grid's own plan comes last in the workspace.
inline void plan_groups(const Geometry& geometry, const Options& options,
                        const ForwardKernels& kernels, const Limits& limits, ForwardPlan& plan) {
  const int64_t key = kernels.grid.compute_bytes;
  const TilePlan tiles = plan_tiles(geometry, options, kernels, limits);
  if (tiles.fits()) {
    plan.way = Way::kColumns;
    plan.tiles = tiles;
    plan.groups = {tiles.blocks, 1, limits.grid_threads, tiles.width * tiles.stride * key};
  } else if (fits_block(geometry, options.selection, limits)) {
    plan.teams = plan_teams(geometry, limits, key);
    plan.way = way_of(plan.teams);
    const int64_t teams = plan.teams.teams;
    const int64_t most = room_in_shared_memory(limits, kernels.shared_of(plan.way), key) / teams;
    plan.room = keys_with_room(geometry.length, most, 16 / kernels.grid.element_bytes);
    plan.groups = {plan.teams.blocks, 1, plan.teams.threads, teams * plan.room * key};
  }
}

// `ignores`: whether there may be elements that are not valid.
inline ForwardPlan plan_forward(const Geometry& of_call, const Options& options, bool ignores,
                                const ForwardKernels& kernels, const Limits& limits) {
  ForwardPlan plan;
  plan.sums_samples = must_sum_samples(of_call, ignores);
  const Geometry geometry = plan.sums_samples ? by_sample(of_call) : of_call;
  const bool to_scalar = plan.to_scalar = geometry.reduces_to_scalar();
  plan_groups(geometry, options, kernels, limits, plan);
  Layout space;
  if (to_scalar) {
    if (geometry.groups() > 1) {
      plan.losses = plan.way == Way::kGrid ? geometry.groups() : plan.groups.blocks;
      plan.group_losses = space.add(plan.losses, sizeof(double));
      plan.totals = {1, 1, threads_for(geometry.groups(), limits.most_group_threads), 0};
    }
  } else if (geometry.inner > 1 && geometry.row_length == 1) {
    plan.columns = ColumnPlan(geometry.outer, geometry.length, geometry.inner, limits);
    plan.column_losses = plan.columns.grid();
  } else if (plan.way != Way::kGrid && geometry.inner == 1 &&
             geometry.length % geometry.row_length == 0) {
    plan.writes_rows = true;
  } else {
    plan.rows = plan_rows(geometry.rows(), geometry.row_length, limits, space);
  }
  if (plan.sums_samples) {
    plan.means = space.add(geometry.rows(), kernels.grid.element_bytes);
    plan.samples = plan_rows(of_call.rows(), geometry.rows() / of_call.rows(), limits, space);
  }
  if (plan.way == Way::kGrid) {
    plan.grid = plan_grid(geometry, options, to_scalar, kernels.grid, limits, space);
  }
  plan.workspace_bytes = space.bytes();
  return plan;
}

// Launches by the names of their kernels.
inline std::string to_string(const ForwardPlan& plan) {
  Printed to;
  to.add("way", name_of(plan.way));
  to.add("launches", plan.launches());
  to.add("workspace", plan.workspace_bytes);
  to.add("to_scalar", plan.to_scalar);
  to.add("sums_samples", plan.sums_samples);
  to.add("writes_rows", plan.writes_rows);
  const char* const of_groups = plan.way == Way::kColumns ? "ColumnForward" : "GroupForward";
  to.add(kernel_name(of_groups, plan.way, plan.to_scalar), plan.groups);
  print(plan.tiles, to);
  print(plan.teams, to);
  to.add("room", plan.room);
  print(plan.grid, to);
  to.add("losses", plan.losses);
  to.add("group_losses", plan.group_losses);
  to.add("GroupTotals", plan.totals);
  print(plan.columns, to);
  to.add("ColumnLosses", plan.column_losses);
  print(plan.rows, "RowLosses", to);
  to.add("means", plan.means);
  print(plan.samples, "SampleSums", to);
  return to.text();
}

inline bool operator==(const ForwardPlan& a, const ForwardPlan& b) {
  return to_string(a) == to_string(b);
}

}  // namespace cuda
}  // namespace tailops
