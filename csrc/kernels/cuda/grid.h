#pragma once

// The forward pass of a group by many blocks: a fixed number of launches, whatever the data.
//
//   draw      a sample of the errors; clears the control block
//   bracket   one block: where in the sample the threshold must be
//   collect   one pass over the inputs: counts what is below the bracket, keeps what is inside it
//             and near it, adds up what is far from it; the last block sees whether the rank is
//             held
//   digits    a few times: a digit of the order statistic among the kept; or, where the bracket has
//             missed or too much was near it, among the inputs
//   finish    adds up the kept (or the inputs, again), writes state and loss
//
// Blocks never wait for each other: what needs all of them is done by the last to finish.

#include "../ordered_bits.h"
#include "group_forward.h"
#include "team_select.h"
#include "vectors.h"

namespace tailops {
namespace cuda {

constexpr int kGridDigitBits = 11;
constexpr int kGridBins = 1 << kGridDigitBits;
constexpr int kGridThreads = 256;

// How many launches of the digits find any key.
template <typename C>
constexpr int kDigitPasses = (OrderedBits<C>::kBits + kGridDigitBits - 1) / kGridDigitBits;

// What the launches for one group tell each other.
template <typename C>
struct Control {
  using Key = typename OrderedBits<C>::Key;

  // collect counts, by atomics on integers: the order does not matter. `below` and the next three
  // are about the bracket, without its band.
  uint64_t valid;
  uint64_t nans;
  uint64_t below;
  uint64_t at_low;
  uint64_t between;
  uint64_t at_high;
  uint64_t bins[kGridBins];
  uint64_t remaining;  // rank among the keys of the range
  uint64_t lower_count;
  uint64_t upper_count;
  Rank rank;
  Bracket<C> bracket;
  Key base;  // the order statistic is one of the 2^bits keys from here on
  Key upper;
  int bits;
  unsigned overflow;  // more was kept than there is room for
  unsigned finished;
  bool keeps_band;   // all that is near is kept, and what is far added up
  bool from_inputs;  // not from what was kept
  bool resolved;     // `base` is the order statistic
};

struct NextKey {
  uint64_t key;
  uint64_t count;
};

struct PartialSums {
  double weighted;
  double other;  // Σ d² of collect, ∂L/∂t of finish

  TAILOPS_DEVICE void operator+=(const PartialSums& sums) {
    weighted += sums.weighted;
    other += sums.other;
  }
};

// The workspace of the groups in flight, an array with one part for each.
template <typename C>
struct GridWorkspace {
  Control<C>* control;
  PartialSums* far;   // [groups][blocks]
  PartialSums* near;  // [groups][blocks]
  NextKey* next;      // [groups][blocks]
  unsigned* kept;     // [groups][warps]: how many candidates each warp of collect has kept
  C* candidates;      // [groups][warps][segment]; the sample before
  int64_t segment;
  int64_t sample;  // elements of it
};

template <typename T>
struct GridCall {
  using C = ComputeType<T>;
  using Key = typename OrderedBits<C>::Key;

  Call<T> call;
  GridWorkspace<C> workspace;
  int64_t first_group;  // of those in flight
  int64_t warps;        // per group, of collect

  TAILOPS_DEVICE int64_t row() const { return device::row_of_blocks(); }
  TAILOPS_DEVICE Elements<T> elements() const { return call.group(first_group + row()); }
  TAILOPS_DEVICE Control<C>& control() const { return workspace.control[row()]; }
  TAILOPS_DEVICE int64_t worker() const {
    return device::block() * device::threads() + device::thread();
  }
  TAILOPS_DEVICE int64_t workers() const { return device::blocks() * device::threads(); }
  TAILOPS_DEVICE C* segments() const {
    return workspace.candidates + row() * warps * workspace.segment;
  }
  TAILOPS_DEVICE Key* sample() const { return reinterpret_cast<Key*>(segments()); }

  // body(error, valid) for every candidate of this worker's warp; lanes stay together.
  template <typename Body>
  TAILOPS_DEVICE void for_each_candidate(const Body& body) const {
    const int lane = device::lane();
    const int64_t step = device::blocks() * device::warps();
    for (int64_t w = device::block() * device::warps() + device::warp(); w < warps; w += step) {
      const C* const segment = segments() + w * workspace.segment;
      const int64_t count = workspace.kept[row() * warps + w];
      for (int64_t k = lane; k - lane < count; k += device::kWarp) {
        body(k < count ? segment[k] : C(0), k < count);
      }
    }
  }

  // body(error, valid) for every element of the group.
  template <typename Body>
  TAILOPS_DEVICE void for_each_input(const Body& body) const {
    using B = Batch<Elements<T>>;
    Vectors(elements()).for_each(worker(), workers(), [&](const B& batch) {
      C errors[B::kSize];
      errors_of(call.error_kind, call.weights.epsilon, batch.values, errors);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) body(errors[j], (batch.valid >> j & 1u) != 0);
    });
  }
};

}  // namespace cuda
}  // namespace tailops
