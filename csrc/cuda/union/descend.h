#pragma once

// The search through a union after a round, from the counts of all shares together: a block for
// each group. And what a finished search found.

#include "cuda/device/per_group.h"
#include "cuda/loss/errors.h"
#include "cuda/range_mean/call.h"
#include "cuda/select/count_digits.h"
#include "formulas/union_range.h"
#include "formulas/union_search.h"
#include "formulas/union_state.h"

namespace tailops {
namespace cuda {

// The ranks that are searched for among so many elements.
struct RanksOfLoss {
  Threshold threshold;

  TAILOPS_DEVICE UnionRanks operator()(int64_t valid) const { return ranks_of(threshold, valid); }
};

struct RanksOfRange {
  RangeKind kind;
  BoundsArgument bounds;

  TAILOPS_DEVICE UnionRanks operator()(int64_t valid) const {
    return ranks_of(kind, bounds.get(), valid);
  }
};

template <typename RanksAmong>
struct DescendUnion {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    alignas(16) uint64_t sums[2 * kDigitValues / kChunk];
    uint64_t of_warps[kMostWarps];
    UnionSearch search;
    DigitPlace places[2];
  };

  RanksAmong ranks_among;
  UnionRound round;
  const uint64_t* counts;     // [groups][round.columns()]
  const UnionSearch* before;  // but for the first round
  UnionSearch* after;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::block();
    const Digit digit = round.digit();
    const uint64_t* const own = counts + g * round.columns();
    const int size = digit.count(), tables = round.is_first() ? 1 : round.tables(before[g]);
    add_up_chunks(own, tables * size, shared.sums);
    device::barrier();
    if (round.is_first()) {
      const uint64_t numbers = sum_of_chunks(shared.sums, size, shared);
      if (device::thread() == 0) {
        shared.search = begin_search(static_cast<int64_t>(numbers), static_cast<int64_t>(own[size]),
                                     ranks_among);
      }
    } else if (device::thread() == 0) {
      shared.search = before[g];
    }
    device::barrier();
    for (int t = device::warp(); t < 2; t += device::warps()) {
      const int table = t == 0 || tables == 1 ? 0 : 1;
      const int64_t rank = t == 0 ? shared.search.lower.rank : shared.search.upper.rank;
      find_place(shared.sums + table * (size / kChunk), own + table * size, size, rank,
                 shared.places[t]);
    }
    device::barrier();
    if (device::thread() != 0) return;
    UnionSearch search = shared.search;
    if (search.valid != 0) {
      descend(search.lower, shared.places[0], digit);
      descend(search.upper, shared.places[1], digit);
    }
    after[g] = search;
  }

 private:
  static TAILOPS_DEVICE uint64_t sum_of_chunks(const uint64_t* sums, int size, Shared& shared) {
    uint64_t sum = 0;
    for (int c = device::thread(); c < size / kChunk; c += device::threads()) sum += sums[c];
    return block_reduce(sum, shared.of_warps, Add());
  }

  // By a warp.
  static TAILOPS_DEVICE void find_place(const uint64_t* sums, const uint64_t* table, int size,
                                        int64_t rank, DigitPlace& place) {
    FoundDigit found;
    const bool has = find_digit(sums, table, size, static_cast<uint64_t>(rank), found);
    if (has) {
      place = {found.digit, rank - static_cast<int64_t>(found.rest),
               static_cast<int64_t>(found.ties)};
    }
    if (device::ballot(has) != 0 || device::lane() != 0) return;
    uint64_t all = 0;
    for (int c = 0; c < size / kChunk; ++c) all += sums[c];
    place = {size - 1, static_cast<int64_t>(all - table[size - 1]),
             static_cast<int64_t>(table[size - 1])};
  }
};

template <typename RanksAmong>
void launch_descent(const RanksAmong& ranks_among, const UnionRound& round, int64_t groups,
                    const int64_t* counts, const UnionSearch* before, UnionSearch* after,
                    void* stream) {
  if (groups == 0) return;
  using Descend = DescendUnion<RanksAmong>;
  const Descend all{ranks_among, round, reinterpret_cast<const uint64_t*>(counts), before, after};
  device::launch(all, {groups, 1, Descend::kMostThreads, 0}, stream);
}

// A thread for each group.
template <typename C>
struct UnionStates {
  static constexpr int kMostThreads = 128;
  static constexpr int kLeastBlocks = 1;
  struct Shared {};

  Threshold threshold;
  int64_t groups;
  const UnionSearch* search;
  GroupState* state;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const int64_t g = group_of_thread();
    if (g < groups) state[g] = union_state<C>(search[g], threshold);
  }
};

}  // namespace cuda
}  // namespace tailops
