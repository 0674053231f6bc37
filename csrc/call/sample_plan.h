#pragma once

// What selection needs to know of every group of one length: the rank, how large a sample brackets
// it, and where in that sample.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "call/options.h"
#include "core/host_device.h"
#include "formulas/rank.h"

namespace tailops {

// How far from the sample's own rank the bracket reaches: the rank is outside once in 2,000 calls.
constexpr double kDeviations = 3.5;

// The sample is made of runs of this many neighbours, a cache line of float64.
constexpr int64_t kRunLength = 8;

// So many at most.
constexpr int64_t kMostRuns = 512;

// Runs are taken for independent elements up to so much more variance: a small sample's estimate of
// it is that uncertain.
constexpr double kClustered = 2.0;

// Up to here a group is a sample of itself.
constexpr int64_t kBufferLength = 256;

// Where the element of a rank among n is in a sorted sample of m independent ones, and so many
// standard deviations further.
TAILOPS_HOST_DEVICE double place_in_sample(int64_t rank, int64_t n, int64_t sample_size,
                                           double deviations) {
  const double m = static_cast<double>(sample_size);
  const double q = (static_cast<double>(rank) + 0.5) / static_cast<double>(n);
  return q * m + deviations * std::sqrt(m * q * (1.0 - q));
}

// The place that it is not below, but for so many deviations; and not above.
TAILOPS_HOST_DEVICE double place_below(int64_t rank, int64_t n, int64_t m, double deviations) {
  return std::floor(place_in_sample(rank, n, m, -deviations) - 2.0);
}
TAILOPS_HOST_DEVICE double place_above(int64_t rank, int64_t n, int64_t m, double deviations) {
  return std::ceil(place_in_sample(rank, n, m, deviations) + 2.0);
}

// What was a good lower end of the bracket for one group, for the next.
template <typename C>
struct SelectionHint {
  bool is_set = false;
  bool one_pass = false;
  C low{};
  bool may_be_tight = true;  // until a group is so unlike the others that it misses
};

struct SelectionPlan {
  SelectionPlan(const Options& options, int64_t group_length)
      : threshold(threshold_of(options)),
        rank(threshold.rank(group_length)),
        path(options.selection),
        length(group_length) {
    if (length <= kBufferLength && path == SelectionPath::kAuto) return;
    const double balanced = std::pow(static_cast<double>(length), 2.0 / 3.0) / 4.0;
    sample_runs = std::clamp<int64_t>(static_cast<int64_t>(balanced) / kRunLength, 8, kMostRuns);
  }

  // Without a path or a sample of its own: where the group's length is known on a device only.
  TAILOPS_HOST_DEVICE SelectionPlan(const Rank& of, int64_t group_length)
      : rank(of), path(SelectionPath::kAuto), length(group_length) {}

  // The rank where only so many of the group's elements count.
  Rank rank_among(int64_t valid) const { return threshold.rank(valid); }

  SelectionPlan among(int64_t valid) const {
    SelectionPlan plan = *this;
    plan.length = valid;
    plan.rank = rank_among(valid);
    return plan;
  }

  // The place in a sorted sample of m elements that the rank of the group is not below.
  TAILOPS_HOST_DEVICE double lower_place(int64_t m, double deviations) const {
    return place_below(rank.lower, length, m, deviations);
  }

  TAILOPS_HOST_DEVICE double upper_place(int64_t m, double deviations) const {
    const int64_t last = rank.lower + (rank.weight == 0.0 ? 0 : 1);
    return place_above(last, length, m, deviations);
  }

  // Position i of n, a random one in each of n equal strata of [0, end): the same at every call.
  static TAILOPS_HOST_DEVICE int64_t stratified(int64_t i, int64_t n, int64_t end) {
    const double stratum = static_cast<double>(end) / static_cast<double>(n);
    const double position = (static_cast<double>(i) + uniform(static_cast<uint64_t>(i))) * stratum;
    const int64_t whole = static_cast<int64_t>(position);
    return whole < end ? whole : end - 1;
  }

  Threshold threshold{};
  Rank rank;
  SelectionPath path;
  int64_t length;
  int64_t sample_runs = 0;  // unless a sample is drawn

 private:
  static TAILOPS_HOST_DEVICE double uniform(uint64_t i) {
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
};

}  // namespace tailops
