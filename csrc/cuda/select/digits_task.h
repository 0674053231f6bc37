#pragma once

// What the launches of digits.h tell each other, and what they ask of a task: what is looked for in
// a group, and what is made of it.
//
//   Groups, and one of copies.h: how often an element counts. n and ranks are such counts
//   Elements group(g)
//   Control: what its launches tell each other besides; it begins as zeros
//   Tally: of a thread, from the control; add(batch, keys, copies, counted, is_first, is_last) has
//     the elements of every pass, with a bit for each that is counted
//   leave(tally, is_first, is_last, control, room): by all threads of a block, behind its pass
//   selectable(control): how many elements take part; in the last block, behind every pass
//   has_targets(n, control), and where not, write_nothing(g, n, control)
//   targets(), and the rank of each among n
//   prepare(n, found, control): what it needs in the next pass, by one thread
//   write(g, n, found, counts, control, room): behind the last pass, by all threads of the last
//     block

#include "core/ordered_bits.h"
#include "cuda/device/device.h"
#include "cuda/select/copies.h"
#include "cuda/select/count_digits.h"
#include "cuda/select/digits_plan.h"

namespace tailops {
namespace cuda {

// What the launches for one group tell each other.
template <typename Task>
struct DigitsControl : Task::Control {
  using Key = typename OrderedBits<typename Task::Elements::Element>::Key;

  uint64_t remaining[kMostTargets];  // rank among the elements that share the target's digits
  int slot[kMostTargets];            // of each target
  Key slot_base[kMostTargets];       // the digits that the slot's targets share, and zeros
  int slots;
  unsigned finished;
  unsigned resolved;  // nothing to look for: what there is to write is written
};

template <typename Task>
struct DigitsWorkspace {
  DigitsControl<Task>* control;
  uint64_t* counts;  // [groups][counts_each]
  int64_t counts_each;
};

// In shared memory.
template <typename Key>
struct FoundTargets {
  Key base[kMostTargets];  // the digits of each; behind the last pass, its key
  uint64_t rest[kMostTargets];
  uint64_t ties[kMostTargets];
};

// Of the last digit: how many elements have which key, of all that share a slot's other digits.
template <typename Key>
struct DigitCounts {
  const Key* slot_base;
  const uint64_t* counts;  // of the device's memory
  int slots;
  int width;

  // body(key, count) for this thread's share.
  template <typename Body>
  TAILOPS_DEVICE void for_each(const Body& body) const {
    for (int b = device::thread(); b < slots << width; b += device::threads()) {
      const Key digit = static_cast<Key>(b & ((1 << width) - 1));
      body(static_cast<Key>(slot_base[b >> width] | digit), device::load_fresh(&counts[b]));
    }
  }
};

}  // namespace cuda
}  // namespace tailops
