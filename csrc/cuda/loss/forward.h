#pragma once

// Carries out the plan of a forward pass. Included where the kernels are compiled: by nvcc, or by a
// test's emulation.

#include <algorithm>

#include "cuda/loss/column_forward.h"
#include "cuda/loss/columns.h"
#include "cuda/loss/dispatch.h"
#include "cuda/loss/forward_plan.h"
#include "cuda/loss/grid/collect.h"
#include "cuda/loss/grid/descend.h"
#include "cuda/loss/grid/finish.h"
#include "cuda/loss/grid/sample.h"
#include "cuda/loss/group_forward.h"
#include "cuda/loss/group_totals.h"

namespace tailops {
namespace cuda {

// Of a kernel for one output; one for several has as much.
template <template <typename...> class Kernel, typename... Of>
constexpr int64_t shared_bytes_of() {
  constexpr size_t kBytes = sizeof(typename Kernel<Of..., OneOutput>::Shared);
  static_assert(kBytes == sizeof(typename Kernel<Of..., ManyOutputs>::Shared));
  return static_cast<int64_t>(kBytes);
}

template <typename T>
constexpr ForwardKernels forward_kernels() {
  using C = ComputeType<T>;
  static_assert(sizeof(typename OrderedBits<C>::Key) == sizeof(C));
  ForwardKernels of;
  of.grid.element_bytes = sizeof(T);
  of.grid.compute_bytes = sizeof(C);
  of.grid.control_bytes = sizeof(Control<C>);
  of.grid.bracket_shared = sizeof(typename FindBracket<T>::Shared);
  of.grid.resident_blocks = Collect<T>::kLeastBlocks;
  of.columns_shared = shared_bytes_of<ColumnForward, T>();
  of.lanes_shared = shared_bytes_of<GroupForward, T, TileTeam>();
  of.warps_shared = shared_bytes_of<GroupForward, T, WarpTeam>();
  of.blocks_shared = shared_bytes_of<GroupForward, T, BlockTeam>();
  return of;
}

template <typename T>
ForwardPlan plan_forward(const Inputs<T>& inputs, const Geometry& geometry, const Options& options,
                         const Limits& limits) {
  return plan_forward(geometry, options, ignores(inputs, options), forward_kernels<T>(), limits);
}

template <typename T>
class Forward {
 public:
  using C = ComputeType<T>;
  using Key = typename OrderedBits<C>::Key;

  Forward(const ForwardPlan& plan, const Inputs<T>& inputs, const Geometry& geometry,
          const Options& options, void* workspace, void* stream)
      : plan_(plan),
        call_(inputs, plan.sums_samples ? by_sample(geometry) : geometry, options),
        workspace_(workspace),
        stream_(stream) {}

  void run(T* loss, GroupState* state) const {
    T* const out = plan_.sums_samples ? in<T>(plan_.means) : loss;
    T* const only = plan_.to_scalar && call_.groups() == 1 ? out : nullptr;
    if (plan_.way == Way::kGrid) {
      run_grid(only, state);
    } else {
      run_groups(plan_.writes_rows ? out : only, state);
    }
    run_rest(out, state);
    if (plan_.sums_samples) {
      launch_rows(SampleSums<T>{out, loss}, plan_.samples, workspace_, stream_);
    }
  }

 private:
  template <typename Value>
  Value* in(const Array& array) const {
    return array.in<Value>(workspace_);
  }
  double* group_losses() const { return in<double>(plan_.group_losses); }

  // `loss`: what the launch writes of it, or null.
  void run_groups(T* loss, GroupState* state) const {
    with_outputs(plan_.to_scalar, [&](auto outputs) {
      using Outputs = decltype(outputs);
      if (plan_.way == Way::kColumns) return run_tiles<ColumnForward<T, Outputs>>(loss, state);
      with_team(plan_.way, [&](auto team) {
        using Team = typename decltype(team)::type;
        run_teams<GroupForward<T, Team, Outputs>>(loss, state);
      });
    });
  }

  template <typename Kernel>
  void run_tiles(T* loss, GroupState* state) const {
    const typename Kernel::Group group{
        call_, state, loss, group_losses(), call_.groups(), plan_.tiles.stride, 0};
    device::launch(Kernel{group, plan_.tiles}, plan_.groups, stream_);
  }

  template <typename Kernel>
  void run_teams(T* loss, GroupState* state) const {
    static_assert(!Kernel::Keys::kKeepsAll || sizeof(typename Kernel::Shared) + (2 << 10) <=
                                                  TeamPlan::besides(Kernel::kFewestLanes),
                  "the plan has counted on less");
    device::launch(
        Kernel{call_, state, loss, group_losses(), call_.groups(), plan_.room, plan_.teams.width},
        plan_.groups, stream_);
  }

  GridWorkspace<C> grid_workspace() const {
    static_assert(sizeof(PartialSums) == GridPlan::kSumsBytes);
    const GridPlan& plan = plan_.grid;
    GridWorkspace<C> of{};
    of.control = in<Control<C>>(plan.control);
    of.far = in<PartialSums>(plan.far);
    of.near = in<PartialSums>(plan.near);
    of.samples = in<Key>(plan.samples);
    of.lists = in<Key>(plan.lists);
    of.kept = in<unsigned>(plan.candidate_counts);
    of.candidates = in<C>(plan.candidates);
    of.segment = plan.segment;
    of.fitting = plan.fitting;
    of.sample = plan.sample;
    of.list = plan.list;
    return of;
  }

  void run_grid(T* loss, GroupState* state) const {
    const GridPlan& plan = plan_.grid;
    const GridWorkspace<C> workspace = grid_workspace();
    for (int64_t round = 0; round < plan.rounds; ++round) {
      const int64_t first = round * plan.groups_at_once;
      const int64_t groups = std::min(plan.groups_at_once, call_.groups() - first);
      const auto of_groups = [&](device::Grid grid) {
        grid.rows = groups;
        return grid;
      };
      const GridCall<T> call{call_, workspace, first, plan.warps, plan.finishes};
      const device::Grid pass = of_groups(plan.pass);
      if (plan.draw.exists()) device::launch(Draw<T>{call}, of_groups(plan.draw), stream_);
      device::launch(FindBracket<T>{call, !plan.draw.exists(), plan.cached},
                     of_groups(plan.bracket), stream_);
      device::launch(Collect<T>{call}, pass, stream_);
      device::launch(Descend<T>{call, state, plan.piece}, pass, stream_);
      if (plan.finishes) {
        device::launch(Finish<T>{call, state, group_losses(), loss}, pass, stream_);
      }
    }
  }

  // What had to wait for all groups, or for the thresholds.
  void run_rest(T* loss, GroupState* state) const {
    if (plan_.totals.exists()) {
      const int64_t groups = call_.groups();
      device::launch(GroupTotals<T>{call_, group_losses(), plan_.losses, groups, state, loss},
                     plan_.totals, stream_);
    } else if (plan_.column_losses.exists()) {
      device::launch(ColumnLosses<T>{call_, plan_.columns, state, loss}, plan_.column_losses,
                     stream_);
    } else if (plan_.rows.add.exists()) {
      launch_rows(RowLosses<T>{call_, state, loss}, plan_.rows, workspace_, stream_);
    }
  }

  const ForwardPlan& plan_;  // outlives this
  const Call<T> call_;
  void* const workspace_;
  void* const stream_;
};

}  // namespace cuda
}  // namespace tailops
