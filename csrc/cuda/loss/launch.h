#pragma once

// The launches of a call. Included where the kernels are compiled: by nvcc, or by a test's
// emulation.

#include "cuda/device/plan.h"
#include "cuda/device/workspace.h"
#include "cuda/loss/column_forward.h"
#include "cuda/loss/columns.h"
#include "cuda/loss/gradient.h"
#include "cuda/loss/grid/collect.h"
#include "cuda/loss/grid/descend.h"
#include "cuda/loss/grid/finish.h"
#include "cuda/loss/grid/sample.h"
#include "cuda/loss/group_forward.h"
#include "cuda/loss/group_totals.h"
#include "cuda/loss/rows.h"

namespace tailops {
namespace cuda {

// A call whose outputs are sums of means that must be found one by one is one that has these means
// as its outputs.
template <typename T>
Geometry with_means(const Inputs<T>& inputs, const Geometry& geometry, const Options& options) {
  return must_sum_samples(geometry, ignores(inputs, options)) ? by_sample(geometry) : geometry;
}

inline Rows rows_of(int64_t count, int64_t length, const Limits& limits, Workspace& space) {
  const int64_t parts = ceiling(length, limits.row_part);
  return {count, length, limits.row_part, parts,
          parts > 1 ? space.add<RowSum>(count * parts) : nullptr};
}

template <typename Of>
void launch_rows(const Of& of, const Rows& rows, const Limits& limits, void* stream) {
  const int64_t threads =
      rows.length < kWarpRow ? rows.count : rows.count * rows.parts * device::kWarp;
  const int64_t most = limits.multiprocessors * limits.blocks_per_multiprocessor * 2;
  const int64_t blocks = std::clamp<int64_t>(ceiling(threads, limits.grid_threads), 1, most);
  device::launch(AddRows<Of>{of, rows}, {blocks, 1, limits.grid_threads, 0}, stream);
  if (rows.parts == 1) return;
  device::launch(AddParts<Of>{of, rows},
                 {rows.count, 1, threads_for(rows.parts, limits.grid_threads), 0}, stream);
}

template <typename Team>
struct TeamOf {
  using type = Team;
};

// body(TeamOf<Team>{}) for the team of a plan.
template <typename Body>
void with_team(const TeamPlan& plan, const Body& body) {
  if (plan.width == 0) {
    body(TeamOf<BlockTeam>());
  } else if (plan.width == device::kWarp) {
    body(TeamOf<WarpTeam>());
  } else {
    body(TeamOf<TileTeam>());
  }
}

// body(OneOutput{}) or body(ManyOutputs{}).
template <typename Body>
void with_outputs(bool to_scalar, const Body& body) {
  if (to_scalar) {
    body(OneOutput());
  } else {
    body(ManyOutputs());
  }
}

template <typename T>
class ForwardLaunches {
 public:
  using C = ComputeType<T>;
  using Key = typename OrderedBits<C>::Key;

  ForwardLaunches(const Inputs<T>& inputs, const Geometry& geometry, const Options& options,
                  const Limits& limits, void* workspace)
      : call_(inputs, with_means(inputs, geometry, options), options),
        limits_(limits),
        tiles_(tiles_of(geometry, options, limits)),
        in_blocks_(tiles_.fits() || fits_block(geometry, options.selection, limits)),
        columns_(call_.outer, call_.length, call_.inner, limits),
        writes_columns_(call_.inner > 1 && call_.row_length == 1 && !call_.to_scalar),
        rows_in_groups_(call_.inner == 1 && call_.length % call_.row_length == 0),
        teams_(geometry, limits, sizeof(Key)),
        plan_(geometry, options, sizeof(T), sizeof(C), Collect<T>::kLeastBlocks, limits) {
    Workspace space(workspace);
    if (call_.to_scalar && call_.groups() > 1) {
      const int64_t blocks = tiles_.fits() ? tiles_.blocks : teams_.blocks;
      losses_ = in_blocks_ ? blocks : call_.groups();
      group_losses_ = space.add<double>(losses_);
    }
    if (!call_.to_scalar && !writes_rows_in_blocks() && !writes_columns_) {
      rows_ = rows_of(call_.rows(), call_.row_length, limits, space);
    }
    if (call_.rows() != geometry.rows()) {
      means_ = space.add<T>(call_.rows());
      samples_ = rows_of(geometry.rows(), call_.rows() / geometry.rows(), limits, space);
    }
    if (!in_blocks_) {
      const int64_t groups = plan_.groups_at_once;
      grid_.control = space.add<Control<C>>(groups);
      grid_.far = space.add<PartialSums>(groups * plan_.blocks);
      grid_.near = space.add<PartialSums>(groups * plan_.blocks);
      grid_.samples = space.add<Key>(groups * plan_.sample);
      grid_.lists = space.add<Key>(groups * plan_.list);
      grid_.kept = space.add<unsigned>(groups * plan_.warps);
      grid_.candidates = space.add<C>(groups * plan_.warps * plan_.segment);
      grid_.segment = plan_.segment;
      grid_.fitting = plan_.fitting;
      grid_.sample = plan_.sample;
      grid_.list = plan_.list;
    }
    bytes_ = space.bytes();
  }

  int64_t workspace_bytes() const { return bytes_; }

  void run(T* loss, GroupState* state, void* stream) const {
    if (samples_.count == 0) return run_call(loss, state, stream);
    run_call(means_, state, stream);
    launch_rows(SampleSums<T>{means_, loss}, samples_, limits_, stream);
  }

 private:
  void run_call(T* loss, GroupState* state, void* stream) const {
    T* const only_loss = call_.to_scalar && call_.groups() == 1 ? loss : nullptr;
    if (in_blocks_) {
      run_groups(writes_rows_in_blocks() ? loss : only_loss, state, stream);
    } else {
      run_grid(only_loss, state, stream);
    }
    if (call_.to_scalar) {
      if (call_.groups() > 1) total_groups(loss, state, stream);
    } else if (writes_columns_) {
      device::launch(ColumnLosses<T>{call_, columns_, state, loss},
                     {columns_.blocks(), 1, static_cast<int>(columns_.threads), 0}, stream);
    } else if (!writes_rows_in_blocks()) {
      launch_rows(RowLosses<T>{call_, state, loss}, rows_, limits_, stream);
    }
  }

  static TilePlan tiles_of(const Geometry& geometry, const Options& options, const Limits& limits) {
    if (options.selection != SelectionPath::kAuto && !are_many(geometry, limits)) return {};
    const int64_t room =
        room_in_shared_memory(limits, sizeof(typename ColumnForward<T, OneOutput>::Shared), 1);
    return {geometry, sizeof(T), sizeof(Key), Batch<Elements<T>>::kLanes, room, limits};
  }

  bool writes_rows_in_blocks() const { return in_blocks_ && !call_.to_scalar && rows_in_groups_; }

  void run_groups(T* loss, GroupState* state, void* stream) const {
    with_outputs(call_.to_scalar, [&](auto outputs) {
      using Outputs = decltype(outputs);
      if (tiles_.fits()) return run_tiles<ColumnForward<T, Outputs>>(loss, state, stream);
      with_team(teams_, [&](auto team) {
        using Team = typename decltype(team)::type;
        run_teams<GroupForward<T, Team, Outputs>>(loss, state, stream);
      });
    });
  }

  template <typename Kernel>
  void run_tiles(T* loss, GroupState* state, void* stream) const {
    const typename Kernel::Group group{call_,          state,         loss, group_losses_,
                                       call_.groups(), tiles_.stride, 0};
    const int64_t bytes = tiles_.width * tiles_.stride * static_cast<int64_t>(sizeof(Key));
    device::launch(Kernel{group, tiles_}, {tiles_.blocks, 1, limits_.grid_threads, bytes}, stream);
  }

  template <typename Kernel>
  void run_teams(T* loss, GroupState* state, void* stream) const {
    const int64_t free =
        room_in_shared_memory(limits_, sizeof(typename Kernel::Shared), sizeof(Key));
    static_assert(!Kernel::Keys::kKeepsAll || sizeof(typename Kernel::Shared) + (2 << 10) <=
                                                  TeamPlan::besides(Kernel::kFewestLanes),
                  "the plan has counted on less");
    const int64_t room = Kernel::Keys::room_for(call_.length, free / teams_.teams);
    device::launch(
        Kernel{call_, state, loss, group_losses_, call_.groups(), room, teams_.width},
        {teams_.blocks, 1, teams_.threads, teams_.teams * room * static_cast<int64_t>(sizeof(Key))},
        stream);
  }

  void run_grid(T* loss, GroupState* state, void* stream) const {
    const bool draws_alone = plan_.sample <= limits_.alone_sample;
    const int64_t sample_blocks =
        std::clamp<int64_t>(ceiling(plan_.sample, limits_.grid_threads), 1, plan_.blocks);
    const int64_t cached = std::min(
        plan_.sample,
        room_in_shared_memory(limits_, sizeof(typename FindBracket<T>::Shared), sizeof(Key)));
    const int64_t cached_bytes = cached * static_cast<int64_t>(sizeof(Key));
    for (int64_t first = 0; first < call_.groups(); first += plan_.groups_at_once) {
      const int64_t groups = std::min(plan_.groups_at_once, call_.groups() - first);
      const GridCall<T> call{call_, grid_, first, plan_.warps, call_.to_scalar};
      const device::Grid every{plan_.blocks, groups, limits_.grid_threads, 0};
      if (!draws_alone) {
        device::launch(Draw<T>{call}, {sample_blocks, groups, limits_.grid_threads, 0}, stream);
      }
      device::launch(FindBracket<T>{call, draws_alone, cached},
                     {1, groups, threads_for(plan_.sample, limits_.bracket_threads), cached_bytes},
                     stream);
      device::launch(Collect<T>{call}, every, stream);
      device::launch(Descend<T>{call, state, limits_.piece}, every, stream);
      if (call_.to_scalar) {
        device::launch(Finish<T>{call, state, group_losses_, loss}, every, stream);
      }
    }
  }

  void total_groups(T* loss, GroupState* state, void* stream) const {
    const int64_t groups = call_.groups();
    device::launch(GroupTotals<T>{call_, group_losses_, losses_, groups, state, loss},
                   {1, 1, threads_for(groups, limits_.most_group_threads), 0}, stream);
  }

  const Call<T> call_;
  const Limits limits_;
  const TilePlan tiles_;
  const bool in_blocks_;
  const ColumnPlan columns_;
  const bool writes_columns_;
  const bool rows_in_groups_;
  const TeamPlan teams_;
  const GridPlan plan_;
  GridWorkspace<C> grid_{};
  double* group_losses_ = nullptr;  // or of blocks that do groups
  int64_t losses_ = 0;
  Rows rows_{};
  T* means_ = nullptr;
  Rows samples_{};  // the rows of which the means are the elements; or none
  int64_t bytes_ = 0;
};

template <typename T>
class BackwardLaunches {
 public:
  using C = ComputeType<T>;

  BackwardLaunches(const Inputs<T>& inputs, const Geometry& geometry, const Options& options,
                   const Limits& limits, void* workspace)
      : call_(inputs, with_means(inputs, geometry, options), options),
        limits_(limits),
        rows_of_upstream_(call_.rows() / geometry.rows()),
        needs_slopes_(options.gradient == GradientMode::kExact && !call_.to_scalar),
        columns_(call_.outer, call_.length, call_.inner, limits),
        in_blocks_(fits_block(geometry, SelectionPath::kAuto, limits) &&
                   (needs_slopes_ || are_many(geometry, limits))),
        teams_(geometry, limits, 0) {
    const int64_t most = limits.multiprocessors * limits.blocks_per_multiprocessor;
    blocks_ = std::min(blocks_for(call_.length * static_cast<int64_t>(sizeof(T)), limits),
                       std::max<int64_t>(1, most / call_.groups()));
    Workspace space(workspace);
    if (needs_slopes_ && call_.inner > 1) {
      slopes_ = space.add<ThresholdGradient>(call_.groups() * columns_.parts);
    } else if (needs_slopes_ && !in_blocks_) {
      slopes_ = space.add<ThresholdGradient>(call_.groups() * blocks_);
    }
    if (call_.by_valid && !call_.to_scalar) {
      row_factors_ = space.add<C>(call_.rows());
      rows_ = rows_of(call_.rows(), call_.row_length, limits, space);
    } else if (call_.by_valid && call_.groups() > 1) {
      scalar_factor_ = space.add<double>(1);
    }
    bytes_ = space.bytes();
  }

  int64_t workspace_bytes() const { return bytes_; }

  // `gradient` may be one of the inputs.
  void run(const T* upstream, const GroupState* state, T* gradient, void* stream) const {
    find_mean_factors(state, stream);
    with_outputs(call_.to_scalar, [&](auto outputs) {
      run_pass<decltype(outputs)>(upstream, state, gradient, stream);
    });
  }

 private:
  template <typename Outputs>
  void run_pass(const T* upstream, const GroupState* state, T* gradient, void* stream) const {
    const GroupGradient<T, Outputs> pass{
        call_, upstream, state, gradient, rows_of_upstream_, row_factors_, scalar_factor_};
    if (call_.inner > 1) return run_columns(pass, stream);
    if (in_blocks_) {
      return with_team(teams_, [&](auto team) {
        using Kernel = GroupBackward<T, typename decltype(team)::type, Outputs>;
        device::launch(Kernel{pass, call_.groups(), teams_.width},
                       {teams_.blocks, 1, teams_.threads, 0}, stream);
      });
    }
    const device::Grid every{blocks_, call_.groups(), limits_.grid_threads, 0};
    if constexpr (!Outputs::kOne) {
      if (needs_slopes_) device::launch(GridSlopes<T>{pass, slopes_}, every, stream);
    }
    device::launch(GridBackward<T, Outputs>{pass, slopes_}, every, stream);
  }

  template <typename Outputs>
  void run_columns(const GroupGradient<T, Outputs>& pass, void* stream) const {
    const device::Grid grid{columns_.blocks(), 1, static_cast<int>(columns_.threads), 0};
    if constexpr (std::is_same_v<Outputs, ManyOutputs>) {
      if (needs_slopes_) device::launch(ColumnSlopes<T>{pass, columns_, slopes_}, grid, stream);
    }
    device::launch(ColumnBackward<T, Outputs>{pass, columns_, slopes_}, grid, stream);
  }

  // Before the inputs may be overwritten.
  void find_mean_factors(const GroupState* state, void* stream) const {
    if (row_factors_ != nullptr) {
      launch_rows(RowFactors<T>{call_, row_factors_}, rows_, limits_, stream);
    } else if (scalar_factor_ != nullptr) {
      const int64_t groups = call_.groups();
      device::launch(ScalarFactor<T>{state, groups, scalar_factor_},
                     {1, 1, threads_for(groups, limits_.most_group_threads), 0}, stream);
    }
  }

  const Call<T> call_;
  const Limits limits_;
  const int64_t rows_of_upstream_;
  const bool needs_slopes_;
  const ColumnPlan columns_;
  const bool in_blocks_;  // where blocks need not wait for a sum, more of them are faster
  const TeamPlan teams_;
  int64_t blocks_ = 1;
  ThresholdGradient* slopes_ = nullptr;
  Rows rows_{};
  C* row_factors_ = nullptr;
  double* scalar_factor_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace cuda
}  // namespace tailops
