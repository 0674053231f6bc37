#pragma once

// finish: with the threshold known, the sums of what is near it; then state and loss.

#include "grid.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Finish {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;

  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = 2;

  struct Shared {
    PartialSums sums[kMostWarps];
    unsigned is_last;
  };

  GridCall<T> grid;
  bool with_sums;
  int64_t collect_blocks;
  GroupState* state;
  double* group_losses;  // or none
  T* loss;               // the only group's, or none

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control<C>& control = grid.control();
    const bool is_nan = control.nans != 0, is_empty = control.valid == 0;
    const double valid = static_cast<double>(control.valid);
    GroupState found = state_of_nothing();
    if (is_nan) {
      const C nan = Bits::decode(Bits::kNaN);
      found = state_of(nan, nan, 1, 1, grid.call.rank(static_cast<int64_t>(control.valid)), valid);
    } else if (!is_empty) {
      found = state_of(Bits::decode(control.base), Bits::decode(control.upper), control.lower_count,
                       control.upper_count, control.rank, valid);
    }
    if (!with_sums) {
      if (device::thread() == 0) state[grid.first_group + grid.row()] = found;
      return;
    }
    const bool has_far = control.keeps_band && !control.from_inputs;
    PartialSums sums{0.0, 0.0};
    if (!is_nan && !is_empty) sums = near_sums(control, tail_of(found, grid.call.weights), has_far);
    sums = block_reduce(sums, shared.sums, Add());
    PartialSums* const near = grid.workspace.near + grid.row() * device::blocks();
    if (device::thread() == 0) near[device::block()] = sums;
    if (!is_last_block(&control.finished, &shared.is_last)) return;

    sums = total(near, device::blocks(), shared);
    const PartialSums far =
        total(grid.workspace.far + grid.row() * collect_blocks, collect_blocks, shared);
    if (device::thread() != 0) return;
    double weighted = sums.weighted + (has_far ? far.weighted : 0.0);
    if (is_nan) weighted = sums.other = found.threshold;
    const double group_loss = loss_of(weighted, far.other, grid.call.weights);
    const double scale = grid.call.scale_in_group(valid);
    found.threshold_gradient = scale * sums.other;
    state[grid.first_group + grid.row()] = found;
    if (group_losses != nullptr) group_losses[grid.first_group + grid.row()] = group_loss;
    if (loss != nullptr) *loss = narrow<T>(group_loss * scale);
  }

 private:
  TAILOPS_DEVICE PartialSums near_sums(const Control<C>& control, const Tail<C>& tail,
                                       bool has_far) const {
    PartialSums sums{0.0, 0.0};
    const Weights<C>& w = grid.call.weights;
    const auto add = [&](C error, bool valid) {
      if (valid) add_element(error, tail, w, sums.weighted, sums.other);
    };
    if (!has_far) {
      grid.for_each_input(add);
      return sums;
    }
    grid.for_each_candidate(add);
    if (device::block() == 0 && device::thread() == 0) {
      add_equal(control.bracket.low, control.at_low, tail, sums);
      add_equal(control.bracket.high, control.at_high, tail, sums);
    }
    return sums;
  }

  // So many elements with the same error.
  TAILOPS_DEVICE void add_equal(C error, uint64_t count, const Tail<C>& tail,
                                PartialSums& sums) const {
    if (count == 0) return;
    PartialSums one{0.0, 0.0};
    add_element(error, tail, grid.call.weights, one.weighted, one.other);
    sums.weighted += static_cast<double>(count) * one.weighted;
    sums.other += static_cast<double>(count) * one.other;
  }

  TAILOPS_DEVICE PartialSums total(const PartialSums* parts, int64_t count, Shared& shared) const {
    PartialSums sum{0.0, 0.0};
    for (int64_t b = device::thread(); b < count; b += device::threads()) {
      sum +=
          PartialSums{device::load_fresh(&parts[b].weighted), device::load_fresh(&parts[b].other)};
    }
    return block_reduce(sum, shared.sums, Add());
  }
};

}  // namespace cuda
}  // namespace tailops
