#pragma once

// A pass over the inputs, by all blocks: counts what is below the bracket, keeps what is inside it
// and near it, adds up what is far from it. And what its counts tell.

#include "grid.h"

namespace tailops {
namespace cuda {

template <typename T>
class Pass {
 public:
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using B = Batch<Elements<T>>;

  struct Counts {
    unsigned valid;
    unsigned nans;
    unsigned below;
    unsigned at_low;
    unsigned between;
    unsigned at_high;

    TAILOPS_DEVICE void operator+=(const Counts& other) {
      valid += other.valid;
      nans += other.nans;
      below += other.below;
      at_low += other.at_low;
      between += other.between;
      at_high += other.at_high;
    }
  };

  struct Shared {
    Counts counts[kMostWarps];
    PartialSums sums[kMostWarps];
  };

  // visit(key) for every element strictly inside the bracket.
  template <typename Visit>
  static TAILOPS_DEVICE void run(const GridCall<T>& grid, const Bracket<C>& bracket,
                                 bool keeps_band, Attempt<C>& attempt, Shared& shared,
                                 const Visit& visit) {
    const Weights<C>& w = grid.call.weights;
    const int64_t room = grid.workspace.segment;
    C* const segment = grid.segment(grid.warp());
    Counts counts{0, 0, 0, 0, 0, 0};
    PartialSums sums{0.0, 0.0};
    int64_t kept = 0;

    Vectors(grid.elements()).for_each_spread(grid.worker(), grid.workers(), [&](const B& batch) {
      C errors[B::kSize];
      errors_of(grid.call.error_kind, w.epsilon, batch.values, errors);
      C far = C(0), squares = C(0);
      unsigned keep = 0, inside = 0;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (!(batch.valid >> j & 1u)) continue;
        const C e = errors[j];
        const bool is_far = e < bracket.band_low || e > bracket.band_high;
        const bool at_low = e == bracket.low;
        const bool at_high = e == bracket.high && !at_low;
        const bool between = e > bracket.low && e < bracket.high;
        counts.valid += 1u;
        counts.nans += e != e ? 1u : 0u;
        counts.below += e < bracket.low ? 1u : 0u;
        counts.at_low += at_low ? 1u : 0u;
        counts.between += between ? 1u : 0u;
        counts.at_high += at_high ? 1u : 0u;
        if (is_far) far += far_weighted(e, bracket.band_high, w);
        if (!is_far && !at_low && !at_high) keep |= 1u << j;
        if (between) inside |= 1u << j;
        if (w.beta != C(0)) squares += batch.values[j] * batch.values[j];
      }
      if (grid.with_sums) {
        sums +=
            PartialSums{keeps_band ? static_cast<double>(far) : 0.0, static_cast<double>(squares)};
      }
      kept = append(errors, keep, segment, room, kept);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (inside >> j & 1u) visit(Bits::encode(errors[j]));
      }
    });

    if (device::lane() == 0) {
      grid.kept()[grid.warp()] = static_cast<unsigned>(kept > room ? room : kept);
      if (kept > room) device::atomic_add(&attempt.overflow, 1u);
    }
    const Counts all = block_reduce(counts, shared.counts, Add());
    sums = block_reduce(sums, shared.sums, Add());
    if (device::thread() == 0) {
      grid.workspace.far[grid.row() * device::blocks() + device::block()] = sums;
      device::atomic_add(&attempt.valid, all.valid);
      device::atomic_add(&attempt.nans, all.nans);
      device::atomic_add(&attempt.below, all.below);
      device::atomic_add(&attempt.at_low, all.at_low);
      device::atomic_add(&attempt.between, all.between);
      device::atomic_add(&attempt.at_high, all.at_high);
    }
  }

 private:
  // The kept errors of a warp's lanes behind those that it has kept so far, lane by lane: always in
  // the same order. Beyond the segment's end they are only counted.
  static TAILOPS_DEVICE int64_t append(const C (&errors)[B::kSize], unsigned keep, C* segment,
                                       int64_t room, int64_t kept) {
    if (device::ballot(keep != 0) == 0) return kept;
    const int lane = device::lane();
    int up_to = device::count_bits(keep);
    TAILOPS_UNROLL
    for (int distance = 1; distance < device::kWarp; distance *= 2) {
      const int before = device::shuffle(up_to, lane >= distance ? lane - distance : lane);
      if (lane >= distance) up_to += before;
    }
    int64_t at = kept + up_to - device::count_bits(keep);
    TAILOPS_UNROLL
    for (int j = 0; j < B::kSize; ++j) {
      if (!(keep >> j & 1u)) continue;
      if (at < room) segment[at] = errors[j];
      ++at;
    }
    return kept + device::shuffle(up_to, device::kWarp - 1);
  }
};

// What a pass has found, once all blocks have counted, for one thread.
template <typename C>
struct Found {
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;

  Bracket<C> bracket;
  uint64_t valid;
  uint64_t nans;
  uint64_t below;
  uint64_t at_low;
  uint64_t between;
  uint64_t at_high;
  bool overflow;

  explicit TAILOPS_DEVICE Found(const Attempt<C>& attempt, const Bracket<C>& of)
      : bracket(of),
        valid(device::load_fresh(&attempt.valid)),
        nans(device::load_fresh(&attempt.nans)),
        below(device::load_fresh(&attempt.below)),
        at_low(device::load_fresh(&attempt.at_low)),
        between(device::load_fresh(&attempt.between)),
        at_high(device::load_fresh(&attempt.at_high)),
        overflow(device::load_fresh(&attempt.overflow) != 0) {}

  // Candidates are counted in 32 bits.
  TAILOPS_DEVICE bool holds(uint64_t rank) const {
    return rank >= below && rank - below < at_low + between + at_high && between >> 32 == 0;
  }

  TAILOPS_DEVICE Seek<Key> seek(uint64_t rank) const {
    const Key low = Bits::encode(bracket.low), high = Bits::encode(bracket.high);
    const uint64_t rest = rank - below;
    if (rest < at_low) return {low, low, rest, at_low};
    if (rest - at_low < between) {
      return {static_cast<Key>(low + 1), static_cast<Key>(high - 1), rest - at_low, between};
    }
    return {high, high, rest - at_low - between, at_high};
  }
};

}  // namespace cuda
}  // namespace tailops
