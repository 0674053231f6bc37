#pragma once

// The largest weight of each group, which says what its weights are as whole numbers: a launch
// between that which clears the counts and the first that counts. The weight of a NaN, or of what a
// mask ignores, may be any.

#include "cuda/device/vectors.h"
#include "cuda/select/digits_task.h"

namespace tailops {
namespace cuda {

template <typename Task>
struct LargestWeight {
  using Elements = typename Task::Elements;
  using Bits = OrderedBits<typename Elements::Element>;
  using B = Batch<Elements>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {
    uint64_t of_warps[kMostWarps];
  };

  Task task;
  DigitsWorkspace<Task> workspace;
  int64_t first_group;  // of those in flight

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = first_group + device::row_of_blocks(), first = task.first_of(g);
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    uint64_t largest = 0;
    Vectors(task.group(g)).for_each(worker, workers, [&](const B& batch) {
      typename Bits::Key keys[B::kSize];
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) keys[j] = Bits::encode(batch.values[j]);
      const unsigned weighed = batch.valid & numbers_among<Task>(keys);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if ((weighed >> j & 1u) == 0) continue;
        largest = Larger()(largest, bits_of(task.weights[first + batch.number(j) * task.inner]));
      }
    });
    largest = block_reduce(largest, shared.of_warps, Larger());
    if (device::thread() == 0) {
      device::atomic_max(&workspace.control[device::row_of_blocks()].largest, largest);
    }
  }

 private:
  struct Larger {
    TAILOPS_DEVICE uint64_t operator()(uint64_t a, uint64_t b) const { return a > b ? a : b; }
  };

  // Of −0, which is a weight, those of 0. A sign puts all other negative numbers above infinity, as
  // NaNs are.
  static TAILOPS_DEVICE uint64_t bits_of(double weight) {
    const double positive_zero = weight + 0.0;
    uint64_t bits;
    memcpy(&bits, &positive_zero, sizeof(bits));
    return bits;
  }
};

}  // namespace cuda
}  // namespace tailops
