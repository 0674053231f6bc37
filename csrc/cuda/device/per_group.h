#pragma once

// Launches that make a row for each group: by a thread each, or by a block each, of what the blocks
// that share a group have found.

#include "cuda/device/block.h"
#include "cuda/device/ceiling.h"
#include "cuda/device/shares.h"

namespace tailops {
namespace cuda {

// A kernel of which each thread does one group.
template <typename Kernel>
void launch_each(const Kernel& kernel, int64_t groups, void* stream) {
  if (groups == 0) return;
  constexpr int kThreads = Kernel::kMostThreads;
  device::launch(kernel, {ceiling(groups, kThreads), 1, kThreads, 0}, stream);
}

TAILOPS_DEVICE int64_t group_of_thread() {
  return device::block() * device::threads() + device::thread();
}

// Where the parts of a group lie.
struct PartsOfGroups {
  int64_t count;  // of a group; 0: its sum is zero
  int64_t group_step;
  int64_t part_step;
};

// Adds them up in a fixed order: Of()(sum).
template <typename Part, typename To, typename Of>
struct AddPartsOfGroups {
  static constexpr int kMostThreads = 128;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    Part of_warps[kMostWarps];
  };

  PartsOfGroups at;
  const Part* parts;
  To* to;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::block();
    Part sum{};
    for (int64_t p = device::thread(); p < at.count; p += device::threads()) {
      sum += parts[g * at.group_step + p * at.part_step];
    }
    sum = block_reduce(sum, shared.of_warps, Add());
    if (device::thread() == 0) to[g] = Of()(sum);
  }
};

template <typename Of, typename Part, typename To>
void add_parts_of_groups(const PartsOfGroups& at, const Part* parts, int64_t groups, To* to,
                         void* stream) {
  if (groups == 0) return;
  using Kernel = AddPartsOfGroups<Part, To, Of>;
  const int threads = threads_for(at.count, Kernel::kMostThreads, 1);
  device::launch(Kernel{at, parts, to}, {groups, 1, threads, 0}, stream);
}

}  // namespace cuda
}  // namespace tailops
