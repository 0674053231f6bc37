#pragma once

// What only all groups together tell, where they share one output: by one block.

#include "cuda/device/block.h"
#include "cuda/loss/call.h"

namespace tailops {
namespace cuda {

// The sum of value_of(i), by one block; every thread gets it. There may be many: with several loads
// of each thread in flight.
template <typename ValueOf>
TAILOPS_DEVICE double total_of(int64_t count, double* of_warps, const ValueOf& value_of) {
  constexpr int kInFlight = 8;
  const int64_t step = device::threads();
  double total = 0.0;
  for (int64_t first = device::thread(); first < count; first += kInFlight * step) {
    double values[kInFlight];
    TAILOPS_UNROLL
    for (int u = 0; u < kInFlight; ++u) {
      values[u] = first + u * step < count ? value_of(first + u * step) : 0.0;
    }
    TAILOPS_UNROLL
    for (int u = 0; u < kInFlight; ++u) total += values[u];
  }
  return block_reduce(total, of_warps, Add());
}

// How many elements are valid.
TAILOPS_DEVICE double valid_of_groups(const GroupState* state, int64_t groups, double* of_warps) {
  return total_of(groups, of_warps, [&](int64_t g) { return state[g].valid; });
}

// The loss.
template <typename T>
struct GroupTotals {
  static constexpr int kMostThreads = 512;
  static constexpr int kLeastBlocks = 1;
  struct Shared {
    double warps[kMostWarps];
  };

  Call<T> call;
  const double* losses;
  int64_t parts;  // each the loss of a group or of some
  int64_t groups;
  const GroupState* state;
  T* loss;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    double factor = call.mean_factor;
    if (call.by_valid) factor = factor_of_mean(valid_of_groups(state, groups, shared.warps));
    const double total = total_of(parts, shared.warps, [&](int64_t i) { return losses[i]; });
    if (device::thread() == 0) *loss = narrow<T>(total * factor);
  }
};

// The mean factor of the one output, for the backward pass. T is that of the call.
template <typename T>
struct ScalarFactor {
  static constexpr int kMostThreads = 512;
  static constexpr int kLeastBlocks = 1;
  struct Shared {
    double warps[kMostWarps];
  };

  const GroupState* state;
  int64_t groups;
  double* factor;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const double valid = valid_of_groups(state, groups, shared.warps);
    if (device::thread() == 0) *factor = factor_of_mean(valid);
  }
};

}  // namespace cuda
}  // namespace tailops
