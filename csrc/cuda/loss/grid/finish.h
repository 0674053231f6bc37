#pragma once

// finish: with the threshold known, the sums of what is near it; then state and loss.

#include "cuda/loss/grid/grid.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Finish {
  using C = ComputeType<T>;

  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = 2;

  struct Shared {
    PartialSums sums[kMostWarps];
    unsigned is_last;
  };

  GridCall<T> grid;
  GroupState* state;
  double* group_losses;  // or none
  T* loss;               // the only group's, or none

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control<C>& control = grid.control();
    const Attempt<C>& attempt = control.attempts[control.used];
    GroupState& found = state[grid.group()];
    const bool is_nan = attempt.counts.nans != 0;
    const bool has_far = attempt.keeps_band != 0 && attempt.overflow == 0;
    PartialSums sums{0.0, 0.0};
    if (!is_nan && attempt.counts.valid != 0) {
      sums = near_sums(attempt, tail_of(found, grid.call.parameters), has_far);
    }
    sums = block_reduce(sums, shared.sums, Add());
    PartialSums* const near = grid.workspace.near + grid.row() * device::blocks();
    if (device::thread() == 0) near[device::block()] = sums;
    if (!is_last_block(&control.finished, &shared.is_last)) return;

    sums = total(near, shared);
    const PartialSums far = total(grid.workspace.far + grid.row() * device::blocks(), shared);
    if (device::thread() != 0) return;
    double weighted = sums.weighted + (has_far ? far.weighted : 0.0);
    if (is_nan) weighted = sums.other = found.threshold;
    const double group_loss = loss_of(weighted, far.other, grid.call.parameters);
    const double factor = grid.call.mean_factor_in_group(found.valid);
    found.threshold_gradient = sums.other;
    if (group_losses != nullptr) group_losses[grid.group()] = group_loss;
    if (loss != nullptr) *loss = narrow<T>(group_loss * factor);
  }

 private:
  TAILOPS_DEVICE PartialSums near_sums(const Attempt<C>& attempt, const Tail<C>& tail,
                                       bool has_far) const {
    PartialSums sums{0.0, 0.0};
    const LossParameters<C>& w = grid.call.parameters;
    const auto add = [&](C error, bool valid) {
      if (valid) add_element(error, tail, w, sums.weighted, sums.other);
    };
    if (!has_far) {
      grid.for_each_input(grid.elements(), grid.worker(), grid.workers(), add);
      return sums;
    }
    grid.for_each_candidate(grid.warp(), device::blocks() * device::warps(), add);
    if (device::block() == 0 && device::thread() == 0) {
      add_equal(attempt.bracket.low, attempt.counts.at_low, tail, sums);
      add_equal(attempt.bracket.high, attempt.counts.at_high, tail, sums);
    }
    return sums;
  }

  // So many elements with the same error.
  TAILOPS_DEVICE void add_equal(C error, uint64_t count, const Tail<C>& tail,
                                PartialSums& sums) const {
    if (count == 0) return;
    PartialSums one{0.0, 0.0};
    add_element(error, tail, grid.call.parameters, one.weighted, one.other);
    sums.weighted += static_cast<double>(count) * one.weighted;
    sums.other += static_cast<double>(count) * one.other;
  }

  // Of the blocks' sums.
  TAILOPS_DEVICE PartialSums total(const PartialSums* parts, Shared& shared) const {
    PartialSums sum{0.0, 0.0};
    for (int64_t b = device::thread(); b < device::blocks(); b += device::threads()) {
      sum +=
          PartialSums{device::load_fresh(&parts[b].weighted), device::load_fresh(&parts[b].other)};
    }
    return block_reduce(sum, shared.sums, Add());
  }
};

}  // namespace cuda
}  // namespace tailops
