#pragma once

// What only all groups together tell, where they share one output: by one block.

#include "block.h"
#include "call.h"

namespace tailops {
namespace cuda {

// How many elements count; every thread gets it.
TAILOPS_DEVICE double valid_of_groups(const GroupState* state, int64_t groups, double* of_warps) {
  double valid = 0.0;
  for (int64_t g = device::thread(); g < groups; g += device::threads()) valid += state[g].valid;
  return block_reduce(valid, of_warps, Add());
}

// The loss; and ∂L/∂t, which waits for its scale.
template <typename T>
struct GroupTotals {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    double warps[kMostWarps];
  };

  Call<T> call;
  const double* losses;
  int64_t groups;
  GroupState* state;
  T* loss;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    double scale = call.row_scale;
    if (call.by_valid) {
      scale = mean_scale(valid_of_groups(state, groups, shared.warps));
      for (int64_t g = device::thread(); g < groups; g += device::threads()) {
        state[g].threshold_gradient *= scale;
      }
    }
    double total = 0.0;
    for (int64_t g = device::thread(); g < groups; g += device::threads()) total += losses[g];
    total = block_reduce(total, shared.warps, Add());
    if (device::thread() == 0) *loss = narrow<T>(total * scale);
  }
};

// The scale of the one output, for the backward pass. T is that of the call.
template <typename T>
struct ScalarScale {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    double warps[kMostWarps];
  };

  const GroupState* state;
  int64_t groups;
  double* scale;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const double valid = valid_of_groups(state, groups, shared.warps);
    if (device::thread() == 0) *scale = mean_scale(valid);
  }
};

}  // namespace cuda
}  // namespace tailops
