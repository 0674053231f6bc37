#pragma once

// The forward pass of columns that fit a block's shared memory side by side: the block reads them
// together, then each of its warps does one after the other.

#include "cuda/device/tile_plan.h"
#include "cuda/loss/group_forward.h"

namespace tailops {
namespace cuda {

template <typename T, typename Outputs>
struct ColumnForward {
  using Group = GroupForward<T, WarpTeam, Outputs>;
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;

  struct Shared {
    typename Group::OfTeam of_warp[kMostThreads / device::kWarp];
    double losses[kMostThreads / device::kWarp];
    double squares[kMostThreads];  // of a thread's share of a column
  };

  Group group;
  TilePlan plan;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char* dynamic) const {
    const WarpTeam warp;
    Key* const keys = reinterpret_cast<Key*>(dynamic);
    const Call<T>& call = group.call;
    if (warp.thread() == 0) shared.losses[warp.number()] = 0.0;
    for (int64_t tile = device::block(); tile < plan.tiles; tile += device::blocks()) {
      const int64_t first = tile % plan.across * plan.width;
      const int64_t g = tile / plan.across * call.inner + first;
      const int64_t count = call.inner - first < plan.width ? call.inner - first : plan.width;
      shared.squares[device::thread()] = read(g, count, keys);
      device::barrier();
      for (int64_t c = warp.number(); c < count; c += warp.teams()) {
        one_column(warp, g + c, c, keys + c * plan.stride, shared);
      }
      device::barrier();  // shared memory is free again
    }
    group.write_losses(shared.losses, warp.teams());
  }

 private:
  // A thread stays in its column, and has every so manieth element of it.
  TAILOPS_DEVICE int64_t slots() const { return device::threads() / plan.width; }

  // Keeps the keys, and returns Σ d² of this thread's.
  TAILOPS_DEVICE double read(int64_t first_group, int64_t count, Key* keys) const {
    const Call<T>& call = group.call;
    const int64_t c = device::thread() % plan.width, slot = device::thread() / plan.width;
    if (c >= count || slot >= slots()) return 0.0;
    const Elements<T> elements = call.group(first_group + c);
    Key* const own = keys + c * plan.stride;
    double squares = 0.0;
    for_each_strided<8>(elements, slot, slots(), [&](int64_t k, C d, bool valid) {
      own[k] = kNoKey<Key>;
      if (!valid) return;
      own[k] = key_of(call.error_kind, call.epsilon, d);
      if (call.parameters.beta != C(0)) squares += static_cast<double>(d * d);
    });
    // Vectors of keys are whole: what is beyond the end are none.
    for (int64_t k = elements.length + slot; k < plan.stride; k += slots()) own[k] = kNoKey<Key>;
    return squares;
  }

  TAILOPS_DEVICE void one_column(const WarpTeam& warp, int64_t g, int64_t c, Key* kept,
                                 Shared& shared) const {
    const typename Group::Keys keys(group.call, g, warp, kept, plan.stride);
    typename Group::Read own{~Key(0), 0, 0};
    keys.for_each([&](Key key, bool valid) {
      own.add(key);
      own.valid += valid ? 1u : 0u;
    });
    double squares = 0.0;
    for (int64_t slot = warp.thread(); slot < slots(); slot += device::kWarp) {
      squares += shared.squares[slot * plan.width + c];
    }
    group.finish(warp, g, keys, own, squares, shared.of_warp[warp.number()],
                 shared.losses[warp.number()]);
  }
};

}  // namespace cuda
}  // namespace tailops
