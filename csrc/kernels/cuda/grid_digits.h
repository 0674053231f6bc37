#pragma once

// digits: eleven more bits of the order statistic, or nothing if it is known.

#include "grid.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Digits {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;

  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = 3;

  struct Shared {
    unsigned bins[kGridBins];
    uint64_t sums[kGridThreads];
    NextKey next[kMostWarps];
    int bin;
    uint64_t rest;
    unsigned first_after[kMostWarps];
    unsigned is_last;
  };

  GridCall<T> grid;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control<C>& control = grid.control();
    if (control.resolved) return;
    const Key base = control.base;
    const int bits = control.bits;
    const int shift = bits > kGridDigitBits ? bits - kGridDigitBits : 0;
    const bool needs_next = shift == 0 && control.rank.weight != 0.0;
    for (int b = device::thread(); b < kGridBins; b += device::threads()) shared.bins[b] = 0;
    device::barrier();

    NextKey next{Bits::kNaN, 0};
    const auto visit = [&](C error, bool valid) {
      const Key key = Bits::encode(error);
      const bool active = valid && in_range(key, base, bits);
      count_in_bins(shared.bins, active, static_cast<unsigned>(active ? (key - base) >> shift : 0));
      if (needs_next && valid && !active && key > base) merge(next, NextKey{key, 1});
    };
    if (control.from_inputs) {
      grid.for_each_input(visit);
    } else {
      // What is not below the bracket's ends is kept, too, where the band is.
      const C low = control.bracket.low, high = control.bracket.high;
      grid.for_each_candidate(
          [&](C error, bool valid) { visit(error, valid && error > low && error < high); });
    }
    device::barrier();
    for (int b = device::thread(); b < kGridBins; b += device::threads()) {
      if (shared.bins[b] != 0) device::atomic_add(&control.bins[b], shared.bins[b]);
    }
    if (device::block() == 0 && device::thread() == 0 && !control.from_inputs) {
      add_ends(control, base, bits, shift, next);
    }
    if (needs_next) {
      next = block_reduce(next, shared.next, [](NextKey a, const NextKey& b) {
        merge(a, b);
        return a;
      });
      if (device::thread() == 0) {
        grid.workspace.next[grid.row() * device::blocks() + device::block()] = next;
      }
    }
    if (is_last_block(&control.finished, &shared.is_last)) {
      choose(control, base, shift, needs_next, shared);
    }
  }

 private:
  static TAILOPS_DEVICE void merge(NextKey& into, const NextKey& from) {
    if (from.count == 0 || from.key > into.key) return;
    if (from.key < into.key) into = NextKey{from.key, 0};
    into.count += from.count;
  }

  // What equals an end of the bracket was counted and not kept.
  TAILOPS_DEVICE void add_ends(Control<C>& control, Key base, int bits, int shift,
                               NextKey& next) const {
    const Key keys[] = {Bits::encode(control.bracket.low), Bits::encode(control.bracket.high)};
    const uint64_t counts[] = {control.at_low, control.at_high};
    for (int end = 0; end < 2; ++end) {
      if (counts[end] == 0) continue;
      if (in_range(keys[end], base, bits)) {
        device::atomic_add(&control.bins[(keys[end] - base) >> shift], counts[end]);
      } else if (keys[end] > base) {
        merge(next, NextKey{keys[end], counts[end]});
      }
    }
  }

  // By the last block: the bin that holds the rank.
  TAILOPS_DEVICE void choose(Control<C>& control, Key base, int shift, bool needs_next,
                             Shared& shared) const {
    const int share = kGridBins / device::threads();
    uint64_t sum = 0;
    for (int i = 0; i < share; ++i) {
      sum += device::load_fresh(&control.bins[device::thread() * share + i]);
    }
    shared.sums[device::thread()] = sum;
    device::barrier();
    if (device::warp() == 0) {
      int chunk;
      uint64_t rest;
      if (find_rank(shared.sums, device::threads(), control.remaining, chunk, rest)) {
        int bin = chunk * share;
        uint64_t count = device::load_fresh(&control.bins[bin]);
        while (rest >= count) {
          rest -= count;
          count = device::load_fresh(&control.bins[++bin]);
        }
        shared.bin = bin;
        shared.rest = rest;
        control.lower_count = count;
      }
    }
    device::barrier();
    const int bin = shared.bin;
    const Key lower = base + (static_cast<Key>(bin) << shift);
    if (shift == 0) choose_upper(control, base, lower, bin, needs_next, shared);
    device::barrier();
    for (int b = device::thread(); b < kGridBins; b += device::threads()) control.bins[b] = 0;
    if (device::thread() == 0) {
      control.base = lower;
      control.bits = shift;
      control.remaining = shared.rest;
      control.resolved = shift == 0;
    }
  }

  // The next larger key: in a bin of this launch, or the smallest beyond its range.
  TAILOPS_DEVICE void choose_upper(Control<C>& control, Key base, Key lower, int bin,
                                   bool needs_next, Shared& shared) const {
    unsigned first = kGridBins;
    for (int b = device::thread(); b < kGridBins; b += device::threads()) {
      if (b > bin && static_cast<unsigned>(b) < first &&
          device::load_fresh(&control.bins[b]) != 0) {
        first = static_cast<unsigned>(b);
      }
    }
    first = block_reduce(first, shared.first_after,
                         [](unsigned a, unsigned b) { return a < b ? a : b; });
    if (device::thread() != 0) return;
    control.upper = lower;
    const uint64_t ties = control.lower_count;
    control.upper_count = ties;
    if (!needs_next || shared.rest + 1 < ties) return;
    if (first < kGridBins) {
      control.upper = base + static_cast<Key>(first);
      control.upper_count = device::load_fresh(&control.bins[first]);
      return;
    }
    NextKey next{Bits::kNaN, 0};
    const NextKey* const all = grid.workspace.next + grid.row() * device::blocks();
    for (int64_t b = 0; b < device::blocks(); ++b) {
      merge(next, NextKey{device::load_fresh(&all[b].key), device::load_fresh(&all[b].count)});
    }
    control.upper = static_cast<Key>(next.key);
    control.upper_count = next.count;
  }
};

}  // namespace cuda
}  // namespace tailops
