#pragma once

// What the threads of a block do together, in an order that is always the same.

#include "cuda/device/device.h"

namespace tailops {
namespace cuda {

constexpr int kMostWarps = 32;

// combine(a, b) of every thread's value, in a fixed tree; every thread gets it. `of_warps` is
// shared, with room for one per warp.
template <typename Value, typename Combine>
TAILOPS_DEVICE Value block_reduce(Value value, Value* of_warps, const Combine& combine) {
  const int lane = device::lane(), warps = device::warps();
  TAILOPS_UNROLL
  for (int distance = device::kWarp / 2; distance > 0; distance /= 2) {
    const Value other = device::shuffle(value, (lane + distance) % device::kWarp);
    value = combine(value, other);
  }
  if (lane == 0) of_warps[device::warp()] = value;
  device::barrier();
  if (device::warp() == 0) {
    if (lane < warps) value = of_warps[lane];
    TAILOPS_UNROLL
    for (int distance = device::kWarp / 2; distance > 0; distance /= 2) {
      const Value other = device::shuffle(value, (lane + distance) % device::kWarp);
      if (lane + distance < warps) value = combine(value, other);
    }
    if (lane == 0) of_warps[0] = value;
  }
  device::barrier();
  value = of_warps[0];
  device::barrier();
  return value;
}

struct Add {
  template <typename Value>
  TAILOPS_DEVICE Value operator()(const Value& a, const Value& b) const {
    Value sum = a;
    sum += b;
    return sum;
  }
};

// Whether this block is the last of its row of blocks to come here; everything that the others
// wrote before is then to be seen. The counter is left as it was found: zero.
//
// One thread's fences on both sides of its atomic are the block's: the barrier before puts what all
// of its threads wrote before the first, the barrier behind puts what all of them read after the
// second. A fence of another thread would not: what synchronizes is a fence and an atomic of the
// same one.
TAILOPS_DEVICE bool is_last_block(unsigned* finished, unsigned* shared) {
  device::barrier();
  if (device::thread() == 0) {
    device::fence();
    const unsigned before = device::atomic_add(finished, 1u);
    device::fence();
    *shared = before + 1 == static_cast<unsigned>(device::blocks()) ? 1u : 0u;
    if (*shared != 0) *finished = 0;
  }
  device::barrier();
  return *shared != 0;
}

// Adds one to bins[bin] for every lane that is active. Where many lanes have the same bin, one of
// them adds for all: the others would wait for each other.
TAILOPS_DEVICE void count_in_bins(unsigned* bins, bool active, unsigned bin) {
  constexpr int kRounds = 2;
  unsigned left = device::ballot(active);
  for (int round = 0; round < kRounds && left != 0; ++round) {
    const int leader = device::first_bit(left);
    const unsigned of_leader = device::shuffle(bin, leader);
    const unsigned same = device::ballot(active && bin == of_leader) & left;
    if (device::lane() == leader) {
      device::atomic_add(&bins[bin], static_cast<unsigned>(device::count_bits(same)));
    }
    left &= ~same;
  }
  if (left >> device::lane() & 1u) device::atomic_add(&bins[bin], 1u);
}

// Σ counts[i] for begin ≤ i < end, in vectors where these are whole: each lane's counts lie next to
// each other, so that one at a time would be in the same banks as those of several other lanes.
template <typename Count>
TAILOPS_DEVICE Count sum_of(const Count* counts, int begin, int end) {
  constexpr int kOfVector = static_cast<int>(sizeof(device::Vector16) / sizeof(Count));
  Count sum = 0;
  int i = begin;
  if (reinterpret_cast<uintptr_t>(counts + begin) % sizeof(device::Vector16) == 0) {
    for (; i + kOfVector <= end; i += kOfVector) {
      Count of_vector[kOfVector];
      const auto raw = *reinterpret_cast<const device::Vector16*>(counts + i);
      memcpy(of_vector, &raw, sizeof(raw));
      TAILOPS_UNROLL
      for (int j = 0; j < kOfVector; ++j) sum += of_vector[j];
    }
  }
  for (; i < end; ++i) sum += counts[i];
  return sum;
}

// For one warp, or `width` neighbours of it, which are `lanes`: in which of `size` counts the
// element of this rank falls, and its rank within. Only the lane that has found it returns true.
template <typename Count>
TAILOPS_DEVICE bool find_rank(const Count* counts, int size, Count rank, int& index, Count& rest,
                              int width = device::kWarp, unsigned lanes = device::kEveryLane) {
  const int own_lane = device::lane(), lane = own_lane & (width - 1);
  const int share = (size + width - 1) / width;
  const int begin = lane * share < size ? lane * share : size;
  const int end = begin + share < size ? begin + share : size;
  const Count own = sum_of(counts, begin, end);
  Count up_to = own;
  TAILOPS_UNROLL
  for (int distance = 1; distance < width; distance *= 2) {
    const int from = lane >= distance ? own_lane - distance : own_lane;
    const Count before = device::shuffle(up_to, from, lanes);
    if (lane >= distance) up_to += before;
  }
  if (rank < up_to - own || rank >= up_to) return false;
  rest = rank - (up_to - own);
  for (index = begin; rest >= counts[index]; ++index) rest -= counts[index];
  return true;
}

}  // namespace cuda
}  // namespace tailops
