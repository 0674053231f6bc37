#pragma once

// Order statistics of a group by many blocks: a launch that clears the counts, and one for every
// digit of the keys. Each counts the next digit among the elements that share the digits found so
// far, for all targets at once; the last block to finish chooses, and after the last digit has the
// task write what it is for. The number of launches is the dtype's, whatever the data. Where
// elements have weights, largest_weight.h comes before the first digit.

#include "cuda/device/block.h"
#include "cuda/device/vectors.h"
#include "cuda/select/digits_task.h"

namespace tailops {
namespace cuda {

template <typename Task>
struct ClearDigits {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {};

  DigitsWorkspace<Task> workspace;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    using Control = DigitsControl<Task>;
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

template <typename Task>
struct CountDigits {
  using Elements = typename Task::Elements;
  using Bits = OrderedBits<typename Elements::Element>;
  using Key = typename Bits::Key;
  using B = Batch<Elements>;
  using Control = DigitsControl<Task>;
  using Tally = typename Task::Tally;
  using Count = typename Task::Count;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  static constexpr int kMostCounts = kDigitBytes / sizeof(Count);

  struct Shared {
    union {
      Count counts[kMostCounts];
      alignas(16) uint64_t sums[kMostCounts / kChunk];
    };
    Key slot_base[kMostTargets];
    FoundTargets<Key> found;
    typename Task::Room room;
    unsigned is_last;
  };

  Task task;
  DigitsWorkspace<Task> workspace;
  int64_t first_group;  // of those in flight
  DigitPass pass;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control& control = workspace.control[device::row_of_blocks()];
    if (control.resolved != 0) return;
    const int slots = is_first() ? 1 : control.slots;
    const int counts = slots << pass.width();
    for (int s = device::thread(); s < slots; s += device::threads()) {
      shared.slot_base[s] = control.slot_base[s];
    }
    for (int b = device::thread(); b < counts; b += device::threads()) shared.counts[b] = 0;
    device::barrier();
    const Tally tally = count(slots, control, shared);
    device::barrier();
    uint64_t* const all = counts_of_group();
    for (int b = device::thread(); b < counts; b += device::threads()) {
      if (shared.counts[b] != 0) device::atomic_add(&all[b], shared.counts[b]);
    }
    task.leave(tally, is_first(), pass.is_last(), control, shared.room);
    if (is_last_block(&control.finished, &shared.is_last)) choose(control, slots, shared);
  }

 private:
  TAILOPS_DEVICE bool is_first() const { return pass.bits == Bits::kBits; }
  TAILOPS_DEVICE int64_t group() const { return first_group + device::row_of_blocks(); }
  TAILOPS_DEVICE uint64_t* counts_of_group() const {
    return workspace.counts + device::row_of_blocks() * workspace.counts_each;
  }

  // Into shared memory.
  TAILOPS_DEVICE Tally count(int slots, const Control& control, Shared& shared) const {
    Tally tally(control);
    const auto copies = task.copies(task, group(), control);
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    Vectors(task.group(group())).for_each(worker, workers, [&](const B& batch) {
      Key keys[B::kSize];
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) keys[j] = Bits::encode(batch.values[j]);
      unsigned counted = batch.valid;
      if constexpr (Task::kWeighs) counted &= numbers_among<Task>(keys);
      const unsigned active = count_digits(
          keys, counted, pass, slots, shared.slot_base, [&](int j, bool is_active, unsigned place) {
            copies.add(shared.counts, is_active, place, batch.number(j));
          });
      tally.add(batch, keys, copies, active, is_first(), pass.is_last());
    });
    return tally;
  }

  // By the last block, when all have counted: the digit of each target.
  TAILOPS_DEVICE void choose(Control& control, int slots, Shared& shared) const {
    if constexpr (Task::kWeighs) {
      if (is_first()) add_up_total(control, shared);
    }
    const int targets = task.targets();
    const int64_t n = task.selectable(control);
    if (!task.has_targets(n, control)) {
      task.write_nothing(group(), n, control);
      if (device::thread() == 0) control.resolved = 1;
      return;
    }
    const int counts = slots << pass.width();
    const uint64_t* const all = counts_of_group();
    add_up_chunks(all, counts, shared.sums);
    device::barrier();
    for (int t = device::warp(); t < targets; t += device::warps()) {
      find_digit(control, t, n, all, shared);
    }
    device::barrier();
    if (pass.is_last()) {
      const DigitCounts<Key> counted{shared.slot_base, all, slots, pass.width()};
      return task.write(group(), n, shared.found, counted, control, shared.room);
    }
    if (device::warp() == 0) share_slots(control, targets, shared);
    if (device::thread() == 0) task.prepare(n, shared.found, control);
    uint64_t* const to_clear = counts_of_group();
    for (int b = device::thread(); b < counts; b += device::threads()) to_clear[b] = 0;
  }

  // Behind the first pass, in whose counts everything is.
  TAILOPS_DEVICE void add_up_total(Control& control, Shared& shared) const {
    const uint64_t* const all = counts_of_group();
    uint64_t total = 0;
    for (int b = device::thread(); b < 1 << pass.width(); b += device::threads()) {
      total += device::load_fresh(&all[b]);
    }
    total = block_reduce(total, shared.sums, Add());
    if (device::thread() == 0) control.total = total;
    device::barrier();
  }

  // Of target t, by one warp.
  TAILOPS_DEVICE void find_digit(const Control& control, int t, int64_t n, const uint64_t* all,
                                 Shared& shared) const {
    const int slot = is_first() ? 0 : control.slot[t];
    const int size = 1 << pass.width();
    const uint64_t remaining =
        is_first() ? static_cast<uint64_t>(task.rank(t, n)) : control.remaining[t];
    FoundDigit found;
    if (!cuda::find_digit(shared.sums + slot * (size / kChunk), all + slot * size, size, remaining,
                          found)) {
      return;
    }
    shared.found.base[t] = shared.slot_base[slot] | static_cast<Key>(found.digit) << pass.shift();
    shared.found.rest[t] = found.rest;
    shared.found.ties[t] = found.ties;
  }

  // By the first warp, a lane for each target: those of the same digits get the same slot.
  TAILOPS_DEVICE void share_slots(Control& control, int targets, const Shared& shared) const {
    const int lane = device::lane();
    const bool is_target = lane < targets;
    const Key base = is_target ? shared.found.base[lane] : Key(0);
    int first = lane;  // of the targets with these digits
    for (int t = targets - 1; t >= 0; --t) {
      if (is_target && shared.found.base[t] == base) first = t;
    }
    const unsigned firsts = device::ballot(is_target && first == lane);
    if (!is_target) return;
    const int slot = device::count_bits(firsts & ((1u << first) - 1));
    control.remaining[lane] = shared.found.rest[lane];
    control.slot[lane] = slot;
    if (first == lane) control.slot_base[slot] = base;
    if (lane == 0) control.slots = device::count_bits(firsts);
  }
};

}  // namespace cuda
}  // namespace tailops
