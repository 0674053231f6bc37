#pragma once

// The forward pass of a group by many blocks: a fixed number of launches, whatever the data.
//
//   draw      a large sample of the errors; a small one is drawn by the next
//   bracket   one block: clears what the blocks share; where in the sample the threshold must be
//   collect   one pass over the inputs: counts what is below the bracket, keeps what is inside it
//             and near it, adds up what is far from it; the last block sees where the order
//             statistics are, to about a thousandth of the bracket
//   descend   finds them there; or, where the bracket has missed or too much was near it, collects
//             once more with a better one; the last block writes the state
//   finish    where there is one output: adds up the kept (or the inputs, again)
//
// Blocks never wait for each other: what needs all of them is done by the last to finish.

#include "core/ordered_bits.h"
#include "cuda/device/vectors.h"
#include "cuda/loss/group_forward.h"
#include "cuda/select/in_team.h"
#include "cuda/select/seek.h"

namespace tailops {
namespace cuda {

// Which pass over the inputs: collect's, or that of descend.
constexpr int kAttempts = 2;

// What a pass counts. `below` and the next three are about the bracket, without its band.
template <typename Count>
struct BracketCounts {
  Count valid;
  Count nans;
  Count below;
  Count at_low;
  Count between;
  Count at_high;

  TAILOPS_DEVICE void operator+=(const BracketCounts& other) {
    valid += other.valid;
    nans += other.nans;
    below += other.below;
    at_low += other.at_low;
    between += other.between;
    at_high += other.at_high;
  }
};

// A pass: what it looks for, and what its blocks have counted.
template <typename C>
struct Attempt {
  Bracket<C> bracket;
  BracketCounts<uint64_t> counts;
  unsigned overflow;    // so many warps had to keep more than there was room for
  unsigned keeps_band;  // all that is near is kept, and what is far added up
};

// What descend has to do.
enum class Next : int {
  kWrite,     // all is known
  kFind,      // among the candidates
  kAgain,     // more was kept than there is room for, and what for is known better now
  kElsewhere  // the bracket has missed
};

// What the launches for one group tell each other.
template <typename C>
struct Control {
  using Key = typename OrderedBits<C>::Key;

  Attempt<C> attempts[kAttempts];
  Seek<Key> seeks[2];  // the lower order statistic and the upper
  Digits<Key> digits;  // the bins of collect
  Rank rank;
  Extent<Key> extents[2];  // of what descend has put into its bins
  unsigned bins[2][kGridBins];
  unsigned listed;
  unsigned finished;
  int used;  // the attempt of which the candidates are
  Next next;
};

struct PartialSums {
  double weighted;
  double other;  // Σ d² of a pass, ∂L/∂t of finish

  TAILOPS_DEVICE void operator+=(const PartialSums& sums) {
    weighted += sums.weighted;
    other += sums.other;
  }
};

// The workspace of the groups in flight, an array with one part for each.
template <typename C>
struct GridWorkspace {
  using Key = typename OrderedBits<C>::Key;

  Control<C>* control;
  PartialSums* far;   // [groups][blocks]
  PartialSums* near;  // [groups][blocks]
  Key* samples;       // [groups][sample]
  Key* lists;         // [groups][list]: what descend has found where the order statistics are
  unsigned* kept;     // [groups][warps]: how many candidates each warp of the pass has kept
  C* candidates;      // [groups][warps][segment]
  int64_t segment;
  double fitting;  // the share of a group's elements for which the segments are likely to suffice
  int64_t sample;
  int64_t list;
};

template <typename T>
struct GridCall {
  using C = ComputeType<T>;
  using Key = typename OrderedBits<C>::Key;

  Call<T> call;
  GridWorkspace<C> workspace;
  int64_t first_group;  // of those in flight
  int64_t warps;        // per group, of a pass
  bool with_sums;

  TAILOPS_DEVICE int64_t row() const { return device::row_of_blocks(); }
  TAILOPS_DEVICE int64_t group() const { return first_group + row(); }
  TAILOPS_DEVICE Elements<T> elements() const { return call.group(group()); }
  TAILOPS_DEVICE Control<C>& control() const { return workspace.control[row()]; }
  TAILOPS_DEVICE int64_t worker() const {
    return device::block() * device::threads() + device::thread();
  }
  TAILOPS_DEVICE int64_t workers() const { return device::blocks() * device::threads(); }
  TAILOPS_DEVICE int64_t warp() const { return device::block() * device::warps() + device::warp(); }
  TAILOPS_DEVICE unsigned* kept() const { return workspace.kept + row() * warps; }
  TAILOPS_DEVICE C* segment(int64_t warp) const {
    return workspace.candidates + (row() * warps + warp) * workspace.segment;
  }
  TAILOPS_DEVICE Key* sample() const { return workspace.samples + row() * workspace.sample; }
  TAILOPS_DEVICE Key* list() const { return workspace.lists + row() * workspace.list; }

  // body(error, valid) for every candidate of the warps first, first + step, …; lanes stay
  // together.
  template <typename Body>
  TAILOPS_DEVICE void for_each_candidate(int64_t first, int64_t step, const Body& body) const {
    const int lane = device::lane();
    for (int64_t w = first; w < warps; w += step) {
      const C* const from = segment(w);
      const int64_t count = device::load_fresh(kept() + w);
      for (int64_t k = lane; k - lane < count; k += device::kWarp) {
        body(k < count ? device::load_fresh(from + k) : C(0), k < count);
      }
    }
  }

  // body(error, valid) for every element of a part of the group, by these workers.
  template <typename Body>
  TAILOPS_DEVICE void for_each_input(const Elements<T>& part, int64_t worker, int64_t workers,
                                     const Body& body) const {
    using B = Batch<Elements<T>>;
    Vectors(part).for_each(worker, workers, [&](const B& batch) {
      C errors[B::kSize];
      errors_of(call.error_kind, call.epsilon, batch.values, errors);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) body(errors[j], (batch.valid >> j & 1u) != 0);
    });
  }
};

}  // namespace cuda
}  // namespace tailops
