#pragma once

// The launches of a call. Included where the kernels are compiled: by nvcc, or by a test's
// emulation.

#include "gradient.h"
#include "grid_collect.h"
#include "grid_digits.h"
#include "grid_finish.h"
#include "grid_sample.h"
#include "group_forward.h"
#include "plan.h"
#include "rows.h"

namespace tailops {
namespace cuda {

// The parts of the workspace, behind a pointer that may be null as long as only sizes are asked.
class Workspace {
 public:
  explicit Workspace(void* base) : base_(static_cast<char*>(base)) {}

  template <typename Value>
  Value* add(int64_t count) {
    const int64_t at = layout_.add(count, sizeof(Value));
    return base_ == nullptr ? nullptr : reinterpret_cast<Value*>(base_ + at);
  }
  int64_t bytes() const { return layout_.bytes(); }

 private:
  char* base_;
  Layout layout_;
};

template <typename T>
class ForwardLaunches {
 public:
  using C = ComputeType<T>;
  using Key = typename OrderedBits<C>::Key;

  ForwardLaunches(const Inputs<T>& inputs, const Geometry& geometry, const Options& options,
                  const Limits& limits, void* workspace)
      : call_(inputs, geometry, options),
        limits_(limits),
        in_blocks_(fits_block(geometry, options.selection, limits)),
        rows_in_groups_(geometry.row_length == 1 ||
                        (geometry.inner == 1 && geometry.length % geometry.row_length == 0)),
        group_threads_(threads_for_group(geometry, limits.most_group_threads, limits)),
        plan_(geometry, options, sizeof(T), sizeof(C), limits) {
    Workspace space(workspace);
    if (call_.to_scalar && call_.groups() > 1) group_losses_ = space.add<double>(call_.groups());
    row_parts_ = ceiling(call_.row_length, limits.row_part);
    if (!call_.to_scalar && !writes_rows_in_blocks() && row_parts_ > 1) {
      row_sums_ = space.add<double>(call_.rows() * row_parts_);
    }
    if (!in_blocks_) {
      const int64_t groups = plan_.groups_at_once;
      grid_.control = space.add<Control<C>>(groups);
      grid_.far = space.add<PartialSums>(groups * plan_.blocks);
      grid_.near = space.add<PartialSums>(groups * plan_.blocks);
      grid_.next = space.add<NextKey>(groups * plan_.blocks);
      grid_.kept = space.add<unsigned>(groups * plan_.warps);
      grid_.candidates = space.add<C>(groups * plan_.warps * plan_.segment);
      grid_.segment = plan_.segment;
      grid_.sample = plan_.sample;
    }
    bytes_ = space.bytes();
  }

  int64_t workspace_bytes() const { return bytes_; }

  void run(T* loss, GroupState* state, void* stream) const {
    T* const only_loss = call_.to_scalar && call_.groups() == 1 ? loss : nullptr;
    if (in_blocks_) {
      run_groups(writes_rows_in_blocks() ? loss : only_loss, state, stream);
    } else {
      run_grid(only_loss, state, stream);
    }
    if (call_.to_scalar) {
      if (call_.groups() > 1) total(group_losses_, 1, call_.groups(), loss, stream);
    } else if (!writes_rows_in_blocks()) {
      write_rows(loss, state, stream);
    }
  }

 private:
  bool writes_rows_in_blocks() const { return in_blocks_ && !call_.to_scalar && rows_in_groups_; }

  void run_groups(T* loss, GroupState* state, void* stream) const {
    using Kernel = GroupForward<T>;
    const int64_t room =
        room_in_shared_memory(limits_, sizeof(typename Kernel::Shared), sizeof(Key));
    const int64_t cached = std::min(call_.length, room);
    device::launch(Kernel{call_, state, loss, group_losses_, call_.groups(), cached},
                   {std::min(call_.groups(), limits_.most_blocks), 1, group_threads_,
                    cached * static_cast<int64_t>(sizeof(Key))},
                   stream);
  }

  void run_grid(T* loss, GroupState* state, void* stream) const {
    const int64_t sample_blocks =
        std::clamp<int64_t>(ceiling(plan_.sample, limits_.grid_threads), 1, plan_.blocks);
    const int64_t cached = std::min(
        plan_.sample,
        room_in_shared_memory(limits_, sizeof(typename FindBracket<T>::Shared), sizeof(Key)));
    const int64_t cached_bytes = cached * static_cast<int64_t>(sizeof(Key));
    for (int64_t first = 0; first < call_.groups(); first += plan_.groups_at_once) {
      const int64_t groups = std::min(plan_.groups_at_once, call_.groups() - first);
      const GridCall<T> call{call_, grid_, first, plan_.warps};
      const device::Grid every{plan_.blocks, groups, limits_.grid_threads, 0};
      const device::Grid few{sample_blocks, groups, limits_.grid_threads, 0};
      device::launch(Draw<T>{call}, few, stream);
      device::launch(FindBracket<T>{call, call_.to_scalar, cached},
                     {1, groups, threads_for(plan_.sample, limits_.bracket_threads), cached_bytes},
                     stream);
      device::launch(Collect<T>{call, call_.to_scalar}, every, stream);
      for (int pass = 0; pass < kDigitPasses<C>; ++pass) {
        device::launch(Digits<T>{call}, every, stream);
      }
      const device::Grid one{call_.to_scalar ? plan_.blocks : 1, groups, limits_.grid_threads, 0};
      device::launch(Finish<T>{call, call_.to_scalar, plan_.blocks, state, group_losses_, loss},
                     one, stream);
    }
  }

  void write_rows(T* loss, const GroupState* state, void* stream) const {
    const int64_t threads =
        call_.row_length < kWarpRow ? call_.rows() : call_.rows() * row_parts_ * device::kWarp;
    const int64_t most = limits_.multiprocessors * limits_.blocks_per_multiprocessor * 2;
    const int64_t blocks = std::clamp<int64_t>(ceiling(threads, limits_.grid_threads), 1, most);
    device::launch(
        WriteRows<T>{call_, state, call_.rows(), row_parts_, limits_.row_part, row_sums_, loss},
        {blocks, 1, limits_.grid_threads, 0}, stream);
    if (row_parts_ > 1) total(row_sums_, call_.rows(), row_parts_, loss, stream);
  }

  void total(const double* sums, int64_t rows, int64_t parts, T* loss, void* stream) const {
    device::launch(RowTotals<T>{sums, parts, call_.row_scale, loss},
                   {rows, 1, threads_for(parts, limits_.grid_threads), 0}, stream);
  }

  const Call<T> call_;
  const Limits limits_;
  const bool in_blocks_;
  const bool rows_in_groups_;
  const int group_threads_;
  const GridPlan plan_;
  GridWorkspace<C> grid_{};
  double* group_losses_ = nullptr;
  double* row_sums_ = nullptr;
  int64_t row_parts_ = 1;
  int64_t bytes_ = 0;
};

template <typename T>
class BackwardLaunches {
 public:
  BackwardLaunches(const Inputs<T>& inputs, const Geometry& geometry, const Options& options,
                   const Limits& limits, void* workspace)
      : call_(inputs, geometry, options),
        limits_(limits),
        needs_slopes_(options.gradient == GradientMode::kExact && !call_.to_scalar),
        in_blocks_(fits_block(geometry, SelectionPath::kAuto, limits) &&
                   (needs_slopes_ || are_many(geometry, limits))),
        group_threads_(threads_for_group(geometry, limits.most_group_threads, limits)) {
    const int64_t most = limits.multiprocessors * limits.blocks_per_multiprocessor;
    blocks_ = std::min(blocks_for(call_.length * static_cast<int64_t>(sizeof(T)), limits),
                       std::max<int64_t>(1, most / call_.groups()));
    Workspace space(workspace);
    if (!in_blocks_ && needs_slopes_) slopes_ = space.add<double>(call_.groups() * blocks_);
    bytes_ = space.bytes();
  }

  int64_t workspace_bytes() const { return bytes_; }

  // `gradient` may be one of the inputs.
  void run(const T* upstream, const GroupState* state, T* gradient, void* stream) const {
    const GroupGradient<T> pass{call_, upstream, state, gradient};
    if (in_blocks_) {
      device::launch(GroupBackward<T>{pass, call_.groups()},
                     {std::min(call_.groups(), limits_.most_blocks), 1, group_threads_, 0}, stream);
      return;
    }
    const device::Grid every{blocks_, call_.groups(), limits_.grid_threads, 0};
    if (needs_slopes_) device::launch(GridSlopes<T>{pass, slopes_}, every, stream);
    device::launch(GridBackward<T>{pass, slopes_}, every, stream);
  }

 private:
  const Call<T> call_;
  const Limits limits_;
  const bool needs_slopes_;
  const bool in_blocks_;  // where blocks need not wait for a sum, more of them are faster
  const int group_threads_;
  int64_t blocks_ = 1;
  double* slopes_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace cuda
}  // namespace tailops
