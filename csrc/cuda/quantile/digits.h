#pragma once

// Selection from a group by many blocks: a launch that clears the counts, and one for every digit
// of the keys. Each counts the next digit among the elements that share the digits found so far,
// for all targets at once; the last block to finish chooses, and after the last digit writes the
// values. The number of launches is the dtype's, whatever the data.

#include "cuda/device/block.h"
#include "cuda/device/vectors.h"
#include "cuda/quantile/call.h"
#include "cuda/quantile/digits_plan.h"

namespace tailops {
namespace cuda {

// What the launches for one group tell each other.
template <typename Key>
struct DigitsControl {
  uint64_t nans;
  uint64_t remaining[kMostTargets];  // rank among the elements that share the target's digits
  int slot[kMostTargets];            // of each target
  Key slot_base[kMostTargets];       // the digits that the slot's targets share, and zeros
  int slots;
  unsigned finished;
  unsigned resolved;  // nothing to select from: the values are NaN, and written
};

template <typename Key>
struct DigitsWorkspace {
  DigitsControl<Key>* control;
  uint64_t* counts;  // [groups][counts_each]
  int64_t counts_each;
};

template <typename Key>
struct ClearDigits {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {};

  DigitsWorkspace<Key> workspace;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    using Control = DigitsControl<Key>;
    static_assert(sizeof(Control) % sizeof(unsigned) == 0, "cleared in words");
    const int64_t row = device::row_of_blocks();
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    unsigned* const words = reinterpret_cast<unsigned*>(workspace.control + row);
    constexpr int64_t kWords = sizeof(Control) / sizeof(unsigned);
    for (int64_t i = worker; i < kWords; i += workers) words[i] = 0;
    uint64_t* const counts = workspace.counts + row * workspace.counts_each;
    for (int64_t i = worker; i < workspace.counts_each; i += workers) counts[i] = 0;
  }
};

template <typename T>
struct CountDigits {
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;
  using B = Batch<Values<T>>;
  using Control = DigitsControl<Key>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  static constexpr int kChunk =
      8;  // counts that are added up to find a rank: less than any digit's

  struct Shared {
    union {
      unsigned counts[kDigitCounts];
      alignas(16) uint64_t sums[kDigitCounts / kChunk];
    };
    Key slot_base[kMostTargets];
    Key base[kMostTargets];  // of each target, with its new digit
    uint64_t rest[kMostTargets];
    uint64_t ties[kMostTargets];
    unsigned nans[kMostWarps];
    unsigned is_last;
  };

  SelectionCall<T> call;
  DigitsWorkspace<Key> workspace;
  int64_t first_group;  // of those in flight
  int64_t first_q;      // of those that are looked for
  int q_at_once;
  int targets_of_q;  // 1 or 2
  int bits;          // that are not known yet
  int digit_bits;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control& control = workspace.control[device::row_of_blocks()];
    if (control.resolved != 0) return;
    const int slots = is_first() ? 1 : control.slots;
    const int counts = slots << width();
    for (int s = device::thread(); s < slots; s += device::threads()) {
      shared.slot_base[s] = control.slot_base[s];
    }
    for (int b = device::thread(); b < counts; b += device::threads()) shared.counts[b] = 0;
    device::barrier();
    unsigned nans = count(slots, shared);
    device::barrier();
    uint64_t* const all = counts_of_group();
    for (int b = device::thread(); b < counts; b += device::threads()) {
      if (shared.counts[b] != 0) device::atomic_add(&all[b], shared.counts[b]);
    }
    if (is_first() && !SelectionCall<T>::kIsInteger) {
      nans = block_reduce(nans, shared.nans, Add());
      if (device::thread() == 0) device::atomic_add(&control.nans, nans);
    }
    if (is_last_block(&control.finished, &shared.is_last)) choose(control, counts, shared);
  }

 private:
  TAILOPS_DEVICE bool is_first() const { return bits == Bits::kBits; }
  TAILOPS_DEVICE int width() const { return bits < digit_bits ? bits : digit_bits; }
  TAILOPS_DEVICE int shift() const { return bits - width(); }
  TAILOPS_DEVICE int64_t group() const { return first_group + device::row_of_blocks(); }
  TAILOPS_DEVICE uint64_t* counts_of_group() const {
    return workspace.counts + device::row_of_blocks() * workspace.counts_each;
  }

  // Into shared memory; returns this thread's NaNs.
  TAILOPS_DEVICE unsigned count(int slots, Shared& shared) const {
    unsigned nans = 0;
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    Vectors(call.group(group())).for_each(worker, workers, [&](const B& batch) {
      Key keys[B::kSize];
      unsigned places[B::kSize];
      unsigned active = 0;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        keys[j] = Bits::encode(batch.values[j]);
        places[j] = 0;
        nans += (batch.inside >> j & 1u) && SelectionCall<T>::is_nan(keys[j]) ? 1u : 0u;
      }
      for (int s = 0; s < slots; ++s) {
        const Key base = shared.slot_base[s];
        const unsigned first = static_cast<unsigned>(s) << width();
        TAILOPS_UNROLL
        for (int j = 0; j < B::kSize; ++j) {
          const Key apart = keys[j] ^ base;  // below 2^bits where the known digits are the same
          if (static_cast<Key>(apart >> (bits - 1)) > Key(1)) continue;
          active |= 1u << j;
          places[j] = first + static_cast<unsigned>(apart >> shift());
        }
      }
      active &= batch.inside;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        count_in_bins(shared.counts, (active >> j & 1u) != 0, places[j]);
      }
    });
    return nans;
  }

  // By the last block, when all have counted: the digit of each target.
  TAILOPS_DEVICE void choose(Control& control, int counts, Shared& shared) const {
    const int64_t n = call.selectable(static_cast<int64_t>(device::load_fresh(&control.nans)));
    const int targets = q_at_once * targets_of_q;
    if (n == 0) {
      if (device::thread() < q_at_once) call.write_nan(group(), first_q + device::thread());
      if (device::thread() == 0) control.resolved = 1;
      return;
    }
    const uint64_t* const all = counts_of_group();
    for (int c = device::thread(); c < counts / kChunk; c += device::threads()) {
      uint64_t sum = 0;
      TAILOPS_UNROLL
      for (int i = 0; i < kChunk; ++i) sum += device::load_fresh(&all[c * kChunk + i]);
      shared.sums[c] = sum;
    }
    device::barrier();
    for (int t = device::warp(); t < targets; t += device::warps()) {
      find_digit(control, t, n, all, shared);
    }
    device::barrier();
    if (shift() == 0) {
      for (int i = device::thread(); i < q_at_once; i += device::threads()) {
        write(first_q + i, n, shared, i * targets_of_q);
      }
      return;
    }
    if (device::warp() == 0) share_slots(control, targets, shared);
    uint64_t* const to_clear = counts_of_group();
    for (int b = device::thread(); b < counts; b += device::threads()) to_clear[b] = 0;
  }

  // Of target t, by one warp.
  TAILOPS_DEVICE void find_digit(const Control& control, int t, int64_t n, const uint64_t* all,
                                 Shared& shared) const {
    const int slot = is_first() ? 0 : control.slot[t];
    const int chunks = (1 << width()) / kChunk;
    const uint64_t remaining = is_first() ? first_rank(t, n) : control.remaining[t];
    int chunk;
    uint64_t rest;
    if (!find_rank(shared.sums + slot * chunks, chunks, remaining, chunk, rest)) return;
    const uint64_t* const own = all + (static_cast<int64_t>(slot) << width());
    int digit = chunk * kChunk;
    uint64_t ties = device::load_fresh(&own[digit]);
    while (rest >= ties) {
      rest -= ties;
      ties = device::load_fresh(&own[++digit]);
    }
    shared.base[t] = shared.slot_base[slot] | static_cast<Key>(digit) << shift();
    shared.rest[t] = rest;
    shared.ties[t] = ties;
  }

  TAILOPS_DEVICE uint64_t first_rank(int t, int64_t n) const {
    const int64_t i = first_q + t / targets_of_q;
    if (!call.has_value(i)) return 0;
    const Rank rank = call.rank(i, n);
    const bool is_upper = t % targets_of_q != 0 && rank.weight != 0.0;
    return static_cast<uint64_t>(rank.lower + (is_upper ? 1 : 0));
  }

  TAILOPS_DEVICE void write(int64_t i, int64_t n, const Shared& shared, int lower) const {
    if (!call.has_value(i)) return call.write_nan(group(), i);
    const int upper = lower + targets_of_q - 1;
    call.write(group(), i, n,
               {shared.base[lower], shared.base[upper], shared.ties[lower], shared.ties[upper]});
  }

  // By the first warp, a lane for each target: those of the same digits get the same slot.
  TAILOPS_DEVICE void share_slots(Control& control, int targets, const Shared& shared) const {
    const int lane = device::lane();
    const bool is_target = lane < targets;
    const Key base = is_target ? shared.base[lane] : Key(0);
    int first = lane;  // of the targets with these digits
    for (int t = targets - 1; t >= 0; --t) {
      if (is_target && shared.base[t] == base) first = t;
    }
    const unsigned firsts = device::ballot(is_target && first == lane);
    if (!is_target) return;
    const int slot = device::count_bits(firsts & ((1u << first) - 1));
    control.remaining[lane] = shared.rest[lane];
    control.slot[lane] = slot;
    if (first == lane) control.slot_base[slot] = base;
    if (lane == 0) control.slots = device::count_bits(firsts);
  }
};

}  // namespace cuda
}  // namespace tailops
