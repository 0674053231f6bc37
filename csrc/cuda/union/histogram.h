#pragma once

// How often each digit of a round occurs in a share of a union.

#include <limits>

#include "cuda/device/shares.h"
#include "cuda/device/vectors.h"
#include "cuda/loss/errors.h"
#include "cuda/select/count_digits.h"
#include "formulas/union_search.h"

namespace tailops {
namespace cuda {

// Of all blocks' counts.
struct ClearCounts {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {};

  uint64_t* counts;
  int64_t size;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const int64_t workers = device::blocks() * device::threads();
    int64_t i = device::block() * device::threads() + device::thread();
    for (; i < size; i += workers) counts[i] = 0;
  }
};

// Some blocks for each group.
template <typename T>
struct CountShare {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using B = Batch<Elements<T>>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {
    unsigned counts[2 * kDigitValues];
    Key slot_base[2];
    unsigned of_warps[kMostWarps];
  };

  Call<T> call;
  UnionRound round;
  int64_t parts;              // blocks of a group
  const UnionSearch* search;  // [groups], but for the first round
  uint64_t* counts;           // [groups][round.columns()]

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::block() / parts, part = device::block() % parts;
    const int slots = round.is_first() ? 1 : round.tables(search[g]);
    const int used = slots * round.digit().count();
    if (device::thread() == 0) {
      shared.slot_base[0] = round.is_first() ? Key(0) : static_cast<Key>(search[g].lower.prefix);
      shared.slot_base[1] = round.is_first() ? Key(0) : static_cast<Key>(search[g].upper.prefix);
    }
    for (int b = device::thread(); b < used; b += device::threads()) shared.counts[b] = 0;
    device::barrier();
    unsigned nans = count(g, part, slots, shared);
    device::barrier();
    uint64_t* const own = counts + g * round.columns();
    for (int b = device::thread(); b < used; b += device::threads()) {
      if (shared.counts[b] != 0) device::atomic_add(&own[b], shared.counts[b]);
    }
    if (!round.is_first()) return;
    nans = block_reduce(nans, shared.of_warps, Add());
    if (device::thread() == 0) device::atomic_add(&own[used], nans);
  }

 private:
  // Into shared memory; returns how many of this thread's are NaN.
  TAILOPS_DEVICE unsigned count(int64_t g, int64_t part, int slots, Shared& shared) const {
    const Digit digit = round.digit();
    const DigitPass pass{digit.shift + digit.bits, digit.bits};
    const int64_t worker = part * device::threads() + device::thread();
    const Key infinity = Bits::encode(std::numeric_limits<C>::infinity());
    unsigned nans = 0;
    const Vectors vectors(call.group(g));
    vectors.for_each(worker, parts * device::threads(), [&](const B& batch) {
      Key keys[B::kSize];
      keys_of(call.error_kind, call.epsilon, batch.values, keys);
      unsigned numbers = batch.valid;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (keys[j] > infinity) numbers &= ~(1u << j);
      }
      nans += static_cast<unsigned>(device::count_bits(batch.valid & ~numbers));
      count_digits(
          keys, numbers, pass, slots, shared.slot_base,
          [&](int, bool active, unsigned place) { count_in_bins(shared.counts, active, place); });
    });
    return nans;
  }
};

// `call` is of a share.
template <typename T>
void launch_histogram(const Call<T>& call, const UnionRound& round, const UnionSearch* search,
                      int64_t* counts, const Limits& limits, void* stream) {
  uint64_t* const bins = reinterpret_cast<uint64_t*>(counts);
  const int64_t groups = call.groups(), size = groups * round.columns();
  const int threads = limits.grid_threads;
  if (size == 0) return;
  const device::Grid clear{blocks_for(size * static_cast<int64_t>(sizeof(*bins)), limits), 1,
                           threads, 0};
  device::launch(ClearCounts{bins, size}, clear, stream);
  if (call.length == 0) return;
  const int64_t parts = blocks_of_group(call, sizeof(T), limits);
  const device::Grid grid{groups * parts, 1, threads, 0};
  device::launch(CountShare<T>{call, round, parts, search, bins}, grid, stream);
}

}  // namespace cuda
}  // namespace tailops
