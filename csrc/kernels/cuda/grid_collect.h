#pragma once

// collect: the pass over the inputs.

#include "grid.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Collect {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using B = Batch<Elements<T>>;

  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = 3;

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
    unsigned is_last;
  };

  GridCall<T> grid;
  bool with_sums;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control<C>& control = grid.control();
    const Bracket<C> bracket = control.bracket;
    const bool keeps_band = control.keeps_band;
    const Weights<C>& w = grid.call.weights;
    const int64_t warp = device::block() * device::warps() + device::warp();
    C* const segment = grid.segments() + warp * grid.workspace.segment;
    Counts counts{0, 0, 0, 0, 0, 0};
    PartialSums sums{0.0, 0.0};
    int64_t kept = 0;

    Vectors(grid.elements()).for_each(grid.worker(), grid.workers(), [&](const B& batch) {
      C errors[B::kSize];
      errors_of(grid.call.error_kind, w.epsilon, batch.values, errors);
      C far = C(0), squares = C(0);
      unsigned keep = 0;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (!(batch.valid >> j & 1u)) continue;
        const C e = errors[j];
        const bool above_band = e > bracket.band_high;
        const bool is_far = e < bracket.band_low || above_band;
        const bool at_low = e == bracket.low;
        const bool at_high = e == bracket.high && !at_low;
        counts.valid += 1u;
        counts.nans += e != e ? 1u : 0u;
        counts.below += e < bracket.low ? 1u : 0u;
        counts.at_low += at_low ? 1u : 0u;
        counts.between += e > bracket.low && e < bracket.high ? 1u : 0u;
        counts.at_high += at_high ? 1u : 0u;
        if (is_far) far += far_weighted(e, bracket.band_high, w);
        if (!is_far && !at_low && !at_high) keep |= 1u << j;
        if (w.beta != C(0)) squares += batch.values[j] * batch.values[j];
      }
      if (with_sums)
        sums +=
            PartialSums{keeps_band ? static_cast<double>(far) : 0.0, static_cast<double>(squares)};
      kept = append(errors, keep, segment, kept);
    });

    const unsigned overflow = kept > grid.workspace.segment ? 1u : 0u;
    if (device::lane() == 0) {
      grid.workspace.kept[grid.row() * grid.warps + warp] =
          static_cast<unsigned>(overflow != 0 ? grid.workspace.segment : kept);
      if (overflow != 0) device::atomic_add(&control.overflow, 1u);
    }
    const Counts all = block_reduce(counts, shared.counts, Add());
    sums = block_reduce(sums, shared.sums, Add());
    if (device::thread() == 0) {
      grid.workspace.far[grid.row() * device::blocks() + device::block()] = sums;
      device::atomic_add(&control.valid, all.valid);
      device::atomic_add(&control.nans, all.nans);
      device::atomic_add(&control.below, all.below);
      device::atomic_add(&control.at_low, all.at_low);
      device::atomic_add(&control.between, all.between);
      device::atomic_add(&control.at_high, all.at_high);
    }
    if (is_last_block(&control.finished, &shared.is_last) && device::thread() == 0) {
      look_for_rank(control);
    }
  }

 private:
  // The kept errors of a warp's lanes behind those that it has kept so far, lane by lane: always in
  // the same order. Beyond the segment's end they are only counted.
  TAILOPS_DEVICE int64_t append(const C (&errors)[B::kSize], unsigned keep, C* segment,
                                int64_t kept) const {
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
      if (at < grid.workspace.segment) segment[at] = errors[j];
      ++at;
    }
    return kept + device::shuffle(up_to, device::kWarp - 1);
  }

  // By one thread, when all blocks have counted: whether the rank is in the bracket.
  TAILOPS_DEVICE void look_for_rank(Control<C>& control) const {
    const uint64_t valid = device::load_fresh(&control.valid);
    const uint64_t below = device::load_fresh(&control.below);
    const uint64_t held = device::load_fresh(&control.at_low) +
                          device::load_fresh(&control.between) +
                          device::load_fresh(&control.at_high);
    const bool overflow = device::load_fresh(&control.overflow) != 0;
    control.resolved = valid == 0 || device::load_fresh(&control.nans) != 0;
    if (control.resolved) return;
    const Rank rank = grid.call.rank(static_cast<int64_t>(valid));
    const uint64_t first = static_cast<uint64_t>(rank.lower);
    const uint64_t last = first + (rank.weight == 0.0 ? 0 : 1);
    const bool is_held = first >= below && last < below + held;
    control.rank = rank;
    // A band that did not fit is no reason to look for the rank elsewhere, unless it is lost too.
    control.from_inputs = !is_held || overflow;
    Key low = Bits::encode(C(0)), high = Bits::encode(std::numeric_limits<C>::infinity());
    control.remaining = first;
    if (!control.from_inputs) {
      low = Bits::encode(control.bracket.low);
      high = Bits::encode(control.bracket.high);
      control.remaining = first - below;
    }
    control.base = low;
    control.bits = device::bit_length(static_cast<Key>(high - low));
    if (control.bits == 0) {
      control.resolved = true;
      control.upper = low;
      control.lower_count = control.upper_count = held;
    }
  }
};

}  // namespace cuda
}  // namespace tailops
