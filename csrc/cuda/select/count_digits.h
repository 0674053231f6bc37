#pragma once

// Keys counted by their next digit, and the digit that holds a rank: for CountDigits, whose blocks
// see all of a group, and for the shares of a union, whose counts replicas add up in between.

#include "cuda/device/block.h"
#include "cuda/select/digits_plan.h"

namespace tailops {
namespace cuda {

struct DigitPass {
  int bits;  // that are not known yet
  int digit_bits;

  TAILOPS_DEVICE int width() const { return bits < digit_bits ? bits : digit_bits; }
  TAILOPS_DEVICE int shift() const { return bits - width(); }
  TAILOPS_DEVICE bool is_last() const { return shift() == 0; }
};

// Of the valid keys: slot s has the 2^width counts from s·2^width on, of keys whose known digits
// are those of its base. add(j, active, place), by all lanes of a warp, of every key, with the
// count that it belongs to where it is active. Returns a bit for each that is.
template <typename Key, int kSize, typename Add>
TAILOPS_DEVICE unsigned count_digits(const Key (&keys)[kSize], unsigned valid,
                                     const DigitPass& pass, int slots, const Key* slot_base,
                                     const Add& add) {
  unsigned places[kSize];
  unsigned active = 0;
  TAILOPS_UNROLL
  for (int j = 0; j < kSize; ++j) places[j] = 0;
  for (int s = 0; s < slots; ++s) {
    const Key base = slot_base[s];
    const unsigned first = static_cast<unsigned>(s) << pass.width();
    TAILOPS_UNROLL
    for (int j = 0; j < kSize; ++j) {
      const Key apart = keys[j] ^ base;  // below 2^bits where the known digits are the same
      if (static_cast<Key>(apart >> (pass.bits - 1)) > Key(1)) continue;
      active |= 1u << j;
      places[j] = first + static_cast<unsigned>(apart >> pass.shift());
    }
  }
  active &= valid;
  TAILOPS_UNROLL
  for (int j = 0; j < kSize; ++j) {
    add(j, (active >> j & 1u) != 0, places[j]);
  }
  return active;
}

constexpr int kChunk = 1 << kNarrowestDigit;  // counts that are added up to find a rank

// By a block, of counts that others may have written in this launch.
TAILOPS_DEVICE void add_up_chunks(const uint64_t* counts, int size, uint64_t* sums) {
  for (int c = device::thread(); c < size / kChunk; c += device::threads()) {
    uint64_t sum = 0;
    TAILOPS_UNROLL
    for (int i = 0; i < kChunk; ++i) sum += device::load_fresh(&counts[c * kChunk + i]);
    sums[c] = sum;
  }
}

// Where a rank falls: `rest` is its rank among the `ties` elements that have the digit.
struct FoundDigit {
  int digit;
  uint64_t rest;
  uint64_t ties;
};

// By a warp, in one slot's counts. Only the lane that has found it returns true; none does where
// the rank is beyond all of them.
TAILOPS_DEVICE bool find_digit(const uint64_t* sums, const uint64_t* counts, int size,
                               uint64_t rank, FoundDigit& found) {
  int chunk;
  uint64_t rest;
  if (!find_rank(sums, size / kChunk, rank, chunk, rest)) return false;
  int digit = chunk * kChunk;
  uint64_t ties = device::load_fresh(&counts[digit]);
  while (rest >= ties) {
    rest -= ties;
    ties = device::load_fresh(&counts[++digit]);
  }
  found = {digit, rest, ties};
  return true;
}

}  // namespace cuda
}  // namespace tailops
