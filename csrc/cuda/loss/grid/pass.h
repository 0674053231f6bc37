#pragma once

// A pass over the inputs, by all blocks: counts what is below the bracket, keeps what is inside it
// and near it, adds up what is far from it. And what its counts tell.

#include "cuda/loss/grid/grid.h"

namespace tailops {
namespace cuda {

// The errors of a warp that are near the bracket, in shared memory until there is one for each
// lane: few lanes have one at a time, and all would wait for them. Always in the same order.
template <typename C, int kSize>
struct Near {
  static constexpr int kMost = device::kWarp - 1 + device::kWarp * kSize;
  C values[kMost];

  // Adds some of each lane's errors to those that wait, of which there are so many; take(error,
  // exists) for 32 at a time. Returns how many wait now.
  template <typename Take>
  TAILOPS_DEVICE int add(const C (&errors)[kSize], unsigned near, int waiting, const Take& take) {
    if (device::ballot(near != 0) == 0) return waiting;
    const int lane = device::lane(), own = device::count_bits(near);
    int up_to = own;
    TAILOPS_UNROLL
    for (int distance = 1; distance < device::kWarp; distance *= 2) {
      const int before = device::shuffle_up(up_to, distance);
      if (lane >= distance) up_to += before;
    }
    C* to = values + waiting + up_to - own;
    TAILOPS_UNROLL
    for (int j = 0; j < kSize; ++j) {
      if (near >> j & 1u) *to++ = errors[j];
    }
    waiting += device::shuffle(up_to, device::kWarp - 1);
    if (waiting < device::kWarp) return waiting;
    device::barrier_of_lanes(device::kEveryLane);
    int taken = 0;
    for (; taken + device::kWarp <= waiting; taken += device::kWarp) {
      take(values[taken + lane], true);
    }
    waiting -= taken;
    const C rest = lane < waiting ? values[taken + lane] : C(0);
    device::barrier_of_lanes(device::kEveryLane);
    if (lane < waiting) values[lane] = rest;
    return waiting;
  }

  template <typename Take>
  TAILOPS_DEVICE void take_rest(int waiting, const Take& take) const {
    device::barrier_of_lanes(device::kEveryLane);
    const bool exists = device::lane() < waiting;
    take(exists ? values[device::lane()] : C(0), exists);
  }
};

template <typename T>
class Pass {
 public:
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using B = Batch<Elements<T>>;

  using Counts = BracketCounts<unsigned>;  // of a thread, or a block

  struct Shared {
    Near<C, B::kSize> near[kGridThreads / device::kWarp];
    Counts counts[kMostWarps];
    PartialSums sums[kMostWarps];
  };

  // visit(key) for every element strictly inside the bracket.
  template <typename Visit>
  static TAILOPS_DEVICE void run(const GridCall<T>& grid, const Bracket<C>& bracket,
                                 bool keeps_band, Attempt<C>& attempt, Shared& shared,
                                 const Visit& visit) {
    const LossParameters<C>& w = grid.call.parameters;
    const bool adds_squares = grid.with_sums && w.beta != C(0);
    Segment segment{grid.segment(grid.warp()), grid.workspace.segment, 0};
    Near<C, B::kSize>& near = shared.near[device::warp()];
    int waiting = 0;
    Counts counts{0, 0, 0, 0, 0, 0};
    PartialSums sums{0.0, 0.0};
    const auto take = [&](C e, bool exists) { sort(bracket, e, exists, segment, counts, visit); };

    Vectors(grid.elements()).for_each_spread(grid.worker(), grid.workers(), [&](const B& batch) {
      C errors[B::kSize];
      errors_of(grid.call.error_kind, w.epsilon, batch.values, errors);
      Sieved sieved{0, 0, C(0), C(0)};
      if (batch.valid == B::kAll) {
        sieved = sieve(bracket, errors, [](int) { return true; });
      } else {
        sieved = sieve(bracket, errors, [&](int j) { return (batch.valid >> j & 1u) != 0; });
      }
      counts.valid += static_cast<unsigned>(device::count_bits(batch.valid));
      counts.below += sieved.below;
      if (keeps_band) {
        sums.weighted += static_cast<double>(sieved.low_sum + sieved.high_sum * w.weight_in_tail());
      }
      if (adds_squares) sums.other += static_cast<double>(squares(batch));
      waiting = near.add(errors, sieved.near, waiting, take);
    });
    near.take_rest(waiting, take);

    const int64_t kept = segment.kept;
    if (device::lane() == 0) {
      grid.kept()[grid.warp()] = static_cast<unsigned>(kept > segment.room ? segment.room : kept);
      if (kept > segment.room) device::atomic_add(&attempt.overflow, 1u);
    }
    const Counts all = block_reduce(counts, shared.counts, Add());
    sums = block_reduce(sums, shared.sums, Add());
    if (device::thread() == 0) {
      grid.workspace.far[grid.row() * device::blocks() + device::block()] = sums;
      device::atomic_add(&attempt.counts.valid, all.valid);
      device::atomic_add(&attempt.counts.nans, all.nans);
      device::atomic_add(&attempt.counts.below, all.below);
      device::atomic_add(&attempt.counts.at_low, all.at_low);
      device::atomic_add(&attempt.counts.between, all.between);
      device::atomic_add(&attempt.counts.at_high, all.at_high);
    }
  }

 private:
  // A warp's candidates: beyond the end they are only counted.
  struct Segment {
    C* from;
    int64_t room;
    int64_t kept;
  };

  struct Sieved {
    unsigned near;  // which are not far, or NaN
    unsigned below;
    C low_sum;
    C high_sum;
  };

  // What almost every element needs, and not more.
  template <typename IsValid>
  static TAILOPS_DEVICE Sieved sieve(const Bracket<C>& bracket, const C (&errors)[B::kSize],
                                     const IsValid& is_valid) {
    Sieved s{0, 0, C(0), C(0)};
    TAILOPS_UNROLL
    for (int j = 0; j < B::kSize; ++j) {
      if (!is_valid(j)) continue;
      const C e = errors[j];
      const bool below = e<bracket.band_low, above = e> bracket.band_high;
      if (below) ++s.below;
      if (below) s.low_sum += e;
      if (above) s.high_sum += e;
      if (!below && !above) s.near |= 1u << j;
    }
    return s;
  }

  static TAILOPS_DEVICE C squares(const B& batch) {
    C sum = C(0);
    TAILOPS_UNROLL
    for (int j = 0; j < B::kSize; ++j) {
      if (batch.valid >> j & 1u) sum += batch.values[j] * batch.values[j];
    }
    return sum;
  }

  // One element of each lane that is not far, or none.
  template <typename Visit>
  static TAILOPS_DEVICE void sort(const Bracket<C>& bracket, C e, bool exists, Segment& segment,
                                  Counts& counts, const Visit& visit) {
    const bool at_low = e == bracket.low, at_high = e == bracket.high && !at_low;
    const bool between = e > bracket.low && e < bracket.high;
    if (exists) {
      counts.nans += e != e ? 1u : 0u;
      counts.below += e < bracket.low ? 1u : 0u;
      counts.at_low += at_low ? 1u : 0u;
      counts.between += between ? 1u : 0u;
      counts.at_high += at_high ? 1u : 0u;
      if (between) visit(OrderedBits<C>::encode(e));
    }
    const bool is_kept = exists && !at_low && !at_high;
    const unsigned all = device::ballot(is_kept);
    const unsigned before = all & ((1u << device::lane()) - 1u);
    const int64_t at = segment.kept + device::count_bits(before);
    if (is_kept && at < segment.room) segment.from[at] = e;
    segment.kept += device::count_bits(all);
  }
};

// What a pass has found, once all blocks have counted, for one thread.
template <typename C>
struct Found {
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;

  Bracket<C> bracket;
  BracketCounts<uint64_t> counts;
  bool overflow;

  TAILOPS_DEVICE Found(const Attempt<C>& attempt, const Bracket<C>& of)
      : bracket(of),
        counts{device::load_fresh(&attempt.counts.valid),
               device::load_fresh(&attempt.counts.nans),
               device::load_fresh(&attempt.counts.below),
               device::load_fresh(&attempt.counts.at_low),
               device::load_fresh(&attempt.counts.between),
               device::load_fresh(&attempt.counts.at_high)},
        overflow(device::load_fresh(&attempt.overflow) != 0) {}

  // Candidates are counted in 32 bits.
  TAILOPS_DEVICE bool holds(uint64_t rank) const {
    const uint64_t held = counts.at_low + counts.between + counts.at_high;
    return rank >= counts.below && rank - counts.below < held && counts.between >> 32 == 0;
  }

  TAILOPS_DEVICE Seek<Key> seek(uint64_t rank) const {
    const Key low = Bits::encode(bracket.low), high = Bits::encode(bracket.high);
    const uint64_t at_low = counts.at_low, between = counts.between, rest = rank - counts.below;
    if (rest < at_low) return {low, low, rest, at_low};
    if (rest - at_low < between) {
      return {static_cast<Key>(low + 1), static_cast<Key>(high - 1), rest - at_low, between};
    }
    return {high, high, rest - at_low - between, counts.at_high};
  }
};

}  // namespace cuda
}  // namespace tailops
