#pragma once

// A team: the threads that do a group together. A block for long groups; for short ones, of which
// there are many, a warp or some lanes of one, which need not wait for the rest of their block.
// What a team does is written once, for all of them.

#include <type_traits>

#include "cuda/device/block.h"

namespace tailops {
namespace cuda {

// body(g) for this team's share of the groups.
template <typename Team, typename Body>
TAILOPS_DEVICE void for_each_group(const Team& team, int64_t groups, const Body& body) {
  const int64_t step = device::blocks() * team.teams();
  for (int64_t g = device::block() * team.teams() + team.number(); g < groups; g += step) body(g);
}

struct BlockTeam {
  static constexpr bool kIsBlock = true;
  static constexpr bool kIsWarp = false;
  static constexpr int kMostThreads = 512;  // of a block
  static constexpr int kMostTeams = 1;      // in it
  static constexpr int kDigitBits = 8;      // of a selection's
  static constexpr int kVectors = 2;        // that a thread loads at a time

  // What a reduction needs of shared memory.
  template <typename Value>
  struct Room {
    Value of_warps[kMostWarps];
  };

  explicit TAILOPS_DEVICE BlockTeam(int /*width*/ = 0) {}

  static TAILOPS_DEVICE int teams() { return 1; }
  static TAILOPS_DEVICE int number() { return 0; }
  static TAILOPS_DEVICE int thread() { return device::thread(); }
  static TAILOPS_DEVICE int threads() { return device::threads(); }
  static TAILOPS_DEVICE void barrier() { device::barrier(); }

  // combine(a, b) of every thread's value, in a fixed tree; every thread gets it.
  template <typename Value, typename Combine>
  static TAILOPS_DEVICE Value reduce(const Value& value, Room<Value>& room,
                                     const Combine& combine) {
    return block_reduce(value, room.of_warps, combine);
  }

  // A barrier, with the value of a thread that has it for all; threads that have one are in the
  // same warp and have the same. There must be another barrier before the slot is used again.
  template <typename Value>
  static TAILOPS_DEVICE Value share(bool has, const Value& value, Value& slot) {
    const unsigned having = device::ballot(has);
    if (has && device::lane() == device::first_bit(having)) slot = value;
    device::barrier();
    return slot;
  }

  // find_rank of block.h, by some of the threads.
  template <typename Count>
  static TAILOPS_DEVICE bool find_rank(const Count* counts, int size, Count rank, int& index,
                                       Count& rest) {
    return device::warp() == 0 && cuda::find_rank(counts, size, rank, index, rest);
  }

  // Adds one to bins[bin] for every thread that is active.
  static TAILOPS_DEVICE void count(unsigned* bins, bool active, unsigned bin) {
    count_in_bins(bins, active, bin);
  }
};

// As many neighbours in a warp as Width says, a power of two: a constant, or known to the launch.
// Other teams of the warp may be elsewhere in the text.
template <typename Width>
class LanesTeam {
 public:
  static constexpr bool kIsBlock = false;
  static constexpr bool kIsWarp = !std::is_same_v<Width, int>;
  static constexpr int kMostThreads = 128;
  static constexpr int kMostTeams = kMostThreads / (kIsWarp ? device::kWarp : 4);
  static constexpr int kDigitBits = kIsWarp ? 8 : 4;
  // A lane of fewer has one vector of its group, or, where that is not aligned, a second one.
  static constexpr int kVectors = kIsWarp ? 2 : 1;

  template <typename Value>
  struct Room {};

  explicit TAILOPS_DEVICE LanesTeam(int width = device::kWarp) : width_(width_of(width)) {}

  TAILOPS_DEVICE int teams() const { return device::threads() >> shift(); }
  TAILOPS_DEVICE int number() const { return device::thread() >> shift(); }
  TAILOPS_DEVICE int thread() const { return device::thread() & (width_ - 1); }
  TAILOPS_DEVICE int threads() const { return width_; }
  TAILOPS_DEVICE void barrier() const { device::barrier_of_lanes(lanes()); }

  template <typename Value, typename Combine>
  TAILOPS_DEVICE Value reduce(Value value, Room<Value>&, const Combine& combine) const {
    TAILOPS_UNROLL
    for (int distance = width_ / 2; distance > 0; distance /= 2) {
      value = combine(value, from(value, device::lane() ^ distance));
    }
    return value;
  }

  template <typename Value>
  TAILOPS_DEVICE Value share(bool has, const Value& value, Value&) const {
    const Value shared = from(value, device::first_bit(device::ballot(has, lanes())));
    barrier();  // an exchange of values says nothing of memory
    return shared;
  }

  template <typename Count>
  TAILOPS_DEVICE bool find_rank(const Count* counts, int size, Count rank, int& index,
                                Count& rest) const {
    return cuda::find_rank(counts, size, rank, index, rest, width_, lanes());
  }

  // Lanes that add one to the same bin do not wait for each other: the hardware counts them.
  static TAILOPS_DEVICE void count(unsigned* bins, bool active, unsigned bin) {
    if (active) device::atomic_add(&bins[bin], 1u);
  }

  // The value of that lane of the warp, which must be the team's.
  template <typename Value>
  TAILOPS_DEVICE Value from(const Value& value, int lane) const {
    return device::shuffle(value, lane, lanes());
  }

 private:
  static TAILOPS_DEVICE Width width_of(int width) {
    if constexpr (kIsWarp) {
      return Width();
    } else {
      return width;
    }
  }
  TAILOPS_DEVICE unsigned lanes() const {
    if constexpr (kIsWarp) {
      return device::kEveryLane;
    } else {
      return ((1u << width_) - 1) << (device::lane() & -width_);
    }
  }
  TAILOPS_DEVICE int shift() const { return device::bit_length(static_cast<uint32_t>(width_)) - 1; }

  Width width_;
};

struct WarpTeam : LanesTeam<std::integral_constant<int, device::kWarp>> {
  using LanesTeam::LanesTeam;
};
struct TileTeam : LanesTeam<int> {
  using LanesTeam::LanesTeam;
};

}  // namespace cuda
}  // namespace tailops
