#pragma once

// What is launched for a call, and how much memory that takes: known from the shape, the options
// and the device, never from the data. Arithmetic for the host; no CUDA.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "call/geometry.h"
#include "call/options.h"
#include "core/float_types.h"

namespace tailops {
namespace cuda {

// What decides between the paths. The first members are the device's; a test makes all of them
// small.
struct Limits {
  int multiprocessors = 1;
  int64_t shared_bytes = 48 << 10;        // dynamic shared memory that a block may have
  int64_t block_elements = 16384;         // groups up to here are one block's
  int64_t groups_per_multiprocessor = 2;  // and, from so many groups on, those of any length
  int64_t short_elements = 1024;          // groups up to here are a warp's or less, where there are
  int64_t short_groups_per_multiprocessor = 8;  // so many
  int64_t tile_elements = 64;                   // shorter columns are not read together
  int most_group_threads = 512;
  int grid_threads = 256;
  int bracket_threads = 512;
  int64_t blocks_per_multiprocessor = 4;
  int64_t most_groups_at_once = 16;
  int64_t sample_bytes = 256 << 10;  // for the samples of the groups in flight
  int64_t least_sample = 2048;
  int64_t alone_sample = 4096;       // a larger one is drawn by many blocks
  int64_t most_listed = 8192;        // where the order statistics are, in the groups in flight
  int64_t spare_bytes = 384 << 10;   // room for candidates besides their share of the inputs
  int64_t piece = int64_t{1} << 30;  // a block counts so many in 32 bits
  int64_t most_blocks = (int64_t{1} << 31) - 1;
  int64_t row_part = 32768;  // a longer row is several warps' work, each of a part of it
};

// The workspace begins at a multiple of this, and so does every array in it.
constexpr int64_t kAlignment = 256;

inline int64_t ceiling(int64_t n, int64_t of) { return (n + of - 1) / of; }

// Arrays laid out one behind the other.
class Layout {
 public:
  int64_t add(int64_t count, int64_t bytes_each) {
    const int64_t at = bytes_;
    bytes_ += ceiling(count * bytes_each, kAlignment) * kAlignment;
    return at;
  }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_ = 0;
};

// Whether the groups are enough for a device, one block each.
inline bool are_many(const Geometry& geometry, const Limits& limits) {
  return geometry.groups() >= limits.groups_per_multiprocessor * limits.multiprocessors;
}

// Whether one block does a group, all by itself.
inline bool fits_block(const Geometry& geometry, SelectionPath path, const Limits& limits) {
  constexpr int64_t kCountable = int64_t{1} << 31;  // a block counts in 32 bits
  if (geometry.length >= kCountable) return false;
  if (are_many(geometry, limits)) return true;
  return geometry.length <= limits.block_elements && path == SelectionPath::kAuto;
}

// A power of two, with a few elements for each thread.
inline int threads_for(int64_t elements, int most, int64_t per_thread = 4) {
  int threads = 32;
  while (2 * threads <= most && threads * per_thread < elements) threads *= 2;
  return threads;
}

// Where there are blocks enough to fill the device, larger shares: fewer threads wait for each
// other.
inline int threads_for_group(const Geometry& geometry, int most, const Limits& limits) {
  const bool fills_device = geometry.groups() >= limits.multiprocessors;
  return threads_for(geometry.length, most, fills_device ? 8 : 4);
}

// How many values of this size fit into a block's shared memory, besides so many bytes.
inline int64_t room_in_shared_memory(const Limits& limits, int64_t besides, int64_t value_bytes) {
  constexpr int64_t kSpare = 256;  // what lies in between, aligned
  return std::max<int64_t>(0, limits.shared_bytes - besides - kSpare) / value_bytes;
}

// The threads that do a group each, where blocks do not share one, and keep so many bytes of each
// element in shared memory.
struct TeamPlan {
  TeamPlan(const Geometry& geometry, const Limits& limits, int64_t kept_bytes)
      : width(lanes(geometry, limits, kept_bytes)),
        threads(width == 0 ? threads_for_group(geometry, limits.most_group_threads, limits)
                           : threads_for(geometry.groups() * width, kShortThreads, 1)),
        teams(width == 0 ? 1 : threads / width),
        blocks(std::min(ceiling(geometry.groups(), teams), limits.most_blocks)) {}

  // A few elements for each: what else there is to do for a group is the same for any number of
  // lanes.
  static int lanes(const Geometry& geometry, const Limits& limits, int64_t kept_bytes) {
    constexpr int kFewest = 4, kWarp = 32, kPerLane = 4;
    const int64_t n = geometry.length, groups = geometry.groups();
    if (n > limits.short_elements) return 0;
    int lanes = kFewest;
    while (lanes < kWarp && lanes * kPerLane < n) lanes *= 2;
    if (groups < limits.short_groups_per_multiprocessor * limits.multiprocessors) {
      if (n > kWarp * kPerLane) return 0;
      lanes = kWarp;
    }
    const int64_t kept = kShortThreads / lanes * n * kept_bytes;
    return kept != 0 && kept + besides(lanes) > limits.shared_bytes ? 0 : lanes;
  }

  // What a block's teams need of shared memory at most, besides: for their selection, and in front
  // of and behind their keys.
  static constexpr int64_t besides(int lanes) { return lanes == 32 ? 9 << 10 : 15 << 10; }

  static constexpr int kShortThreads = 128;

  int width;    // lanes of a warp; or 0: a block
  int threads;  // of a block
  int64_t teams;
  int64_t blocks;
};

// How many blocks go over so many bytes of each input, 16 at a time.
inline int64_t blocks_for(int64_t bytes, const Limits& limits) {
  const int64_t most = limits.multiprocessors * limits.blocks_per_multiprocessor;
  constexpr int64_t kBytesPerThread = 32;
  return std::clamp<int64_t>(ceiling(bytes, kBytesPerThread * limits.grid_threads), 1, most);
}

// The grid for groups that are many blocks' work each; so many blocks of a pass can run at once on
// a multiprocessor, and more would wait for these to end.
struct GridPlan {
  GridPlan(const Geometry& geometry, const Options& options, int64_t element_bytes,
           int64_t compute_bytes, int64_t resident_blocks, const Limits& limits)
      : groups_at_once(std::min(geometry.groups(), limits.most_groups_at_once)) {
    Limits share = limits;
    share.blocks_per_multiprocessor = std::max<int64_t>(
        1, std::min(limits.blocks_per_multiprocessor, resident_blocks) / groups_at_once);
    blocks = blocks_for(geometry.length * element_bytes, share);
    warps = blocks * limits.grid_threads / 32;
    // 0.98% of the inputs' bytes, and the spare ones.
    const int64_t bytes =
        geometry.length * element_bytes * 2 / 102 + limits.spare_bytes / groups_at_once;
    segment = std::max<int64_t>(1, bytes / compute_bytes / warps);
    const int64_t lanes = 16 / element_bytes;
    const int64_t most_vectors = ceiling(ceiling(geometry.length, lanes), warps * 32);
    fitting = likely_to_fit(segment) / static_cast<double>(most_vectors * lanes * 32);
    sample = wanted_sample(geometry.length, options, limits, compute_bytes);
    list = std::max<int64_t>(1, limits.most_listed / groups_at_once);
  }

  // How many candidates a warp may have on average, so that there is room for them in all of some
  // thousand warps, but in one call of five: with fewer, what does not fit would be read twice more
  // less often, and what would have fitted once more far more often. The root of such a count
  // deviates by 1/2 from that of its mean; and what a sample says of the mean may be a quarter off.
  static double likely_to_fit(int64_t segment) {
    constexpr double kDeviations = 3.7;
    const double room = static_cast<double>(segment);
    const double root = std::max(0.0, std::sqrt(room + 1.0) - kDeviations / 2.0);
    return std::min(root * root, 0.75 * room);
  }

  // So large that the bracket holds about 0.6% of the elements, or a quarter of what is likely to
  // fit, where that is more: a percentile's place in a sample of m is certain to
  // 3.5 · √(p(1 − p)/m) to both sides.
  int64_t wanted_sample(int64_t length, const Options& options, const Limits& limits,
                        int64_t compute_bytes) const {
    const double held = std::clamp(fitting / 4.0, 0.006, 1.0);
    const double p = threshold_of(options).percentile;
    const auto certain = static_cast<int64_t>(49.0 * p * (1.0 - p) / (held * held));
    const int64_t most = limits.sample_bytes / compute_bytes / groups_at_once;
    return std::min({length, std::max(certain, limits.least_sample), most});
  }

  int64_t groups_at_once;
  int64_t blocks;   // per group
  int64_t warps;    // of these
  int64_t segment;  // candidates that each warp has room for
  double fitting;   // the share of a group's elements that is likely to fit
  int64_t sample;
  int64_t list;
};

}  // namespace cuda
}  // namespace tailops
