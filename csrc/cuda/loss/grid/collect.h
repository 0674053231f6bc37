#pragma once

// collect: the pass over the inputs, and where its bins say that the order statistics are.

#include "cuda/loss/grid/pass.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Collect {
  using C = ComputeType<T>;
  using Key = typename OrderedBits<C>::Key;

  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = sizeof(T) == sizeof(float) ? 4 : 3;

  struct Shared {
    union {
      typename Pass<T>::Shared pass;
      BinSearch::Shared search;
    };
    unsigned bins[kGridBins];
    unsigned is_last;
    bool seeks;
  };

  GridCall<T> grid;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control<C>& control = grid.control();
    Attempt<C>& attempt = control.attempts[0];
    const Digits<Key> digits = control.digits;
    for (int b = device::thread(); b < kGridBins; b += device::threads()) shared.bins[b] = 0;
    device::barrier();
    const Bracket<C> bracket = attempt.bracket;
    Pass<T>::run(grid, bracket, attempt.keeps_band != 0, attempt, shared.pass,
                 [&](Key key) { device::atomic_add(&shared.bins[digits.bin(key)], 1u); });
    for (int b = device::thread(); b < kGridBins; b += device::threads()) {
      if (shared.bins[b] != 0) device::atomic_add(&control.bins[0][b], shared.bins[b]);
    }
    if (!is_last_block(&control.finished, &shared.is_last)) return;
    if (device::thread() == 0) {
      control.next = look(control, Found<C>(attempt, bracket));
      shared.seeks = control.next == Next::kFind || control.next == Next::kAgain;
    }
    device::barrier();
    if (shared.seeks) descend(control, digits, shared);
  }

 private:
  TAILOPS_DEVICE Next look(Control<C>& control, const Found<C>& found) const {
    if (found.counts.valid == 0 || found.counts.nans != 0) return Next::kWrite;
    const Rank rank = grid.call.rank(static_cast<int64_t>(found.counts.valid));
    const uint64_t lower = static_cast<uint64_t>(rank.lower);
    const uint64_t upper = lower + (rank.weight == 0.0 ? 0 : 1);
    control.rank = rank;
    if (!found.holds(lower) || !found.holds(upper)) return Next::kElsewhere;
    control.seeks[0] = found.seek(lower);
    control.seeks[1] = found.seek(upper);
    if (control.seeks[0].found() && control.seeks[1].found()) return Next::kWrite;
    return found.overflow ? Next::kAgain : Next::kFind;
  }

  // By the last block; leaves the bins empty.
  TAILOPS_DEVICE void descend(Control<C>& control, const Digits<Key>& digits,
                              Shared& shared) const {
    for (int b = device::thread(); b < kGridBins; b += device::threads()) {
      shared.search.counts[b] = device::load_fresh(&control.bins[0][b]);
      control.bins[0][b] = 0;
    }
    for (int i = 0; i < 2; ++i) {
      const Seek<Key> seek = control.seeks[i];
      if (seek.found()) continue;
      const Seek<Key> descended = BinSearch::descend(seek, digits, shared.search);
      if (device::thread() == 0) control.seeks[i] = descended;
    }
    if (device::thread() == 0 && control.seeks[0].found() && control.seeks[1].found()) {
      control.next = Next::kWrite;
    }
  }
};

}  // namespace cuda
}  // namespace tailops
