#pragma once

// How work is shared: whether a group is one block's, how many threads and blocks there are for it,
// and what a block's shared memory has room for.

#include <algorithm>
#include <cstdint>

#include "call/groups.h"
#include "call/options.h"
#include "cuda/device/ceiling.h"
#include "cuda/device/limits.h"

namespace tailops {
namespace cuda {

// Whether the groups are enough for a device, one block each.
inline bool are_many(const Groups& groups, const Limits& limits) {
  return groups.groups() >= limits.groups_per_multiprocessor * limits.multiprocessors;
}

// Whether one block does a group, all by itself.
inline bool fits_block(const Groups& groups, SelectionPath path, const Limits& limits) {
  constexpr int64_t kCountable = int64_t{1} << 31;  // a block counts in 32 bits
  if (groups.length >= kCountable) return false;
  if (are_many(groups, limits)) return true;
  return groups.length <= limits.block_elements && path == SelectionPath::kAuto;
}

// A power of two, with a few elements for each thread.
inline int threads_for(int64_t elements, int most, int64_t per_thread = 4) {
  int threads = 32;
  while (2 * threads <= most && threads * per_thread < elements) threads *= 2;
  return threads;
}

// Where there are blocks enough to fill the device, larger shares: fewer threads wait for each
// other.
inline int threads_for_group(const Groups& groups, int most, const Limits& limits) {
  const bool fills_device = groups.groups() >= limits.multiprocessors;
  return threads_for(groups.length, most, fills_device ? 8 : 4);
}

// How many values of this size fit into a block's shared memory, besides so many bytes.
inline int64_t room_in_shared_memory(const DeviceFacts& device, int64_t besides,
                                     int64_t value_bytes) {
  constexpr int64_t kSpare = 256;  // what lies in between, aligned
  return std::max<int64_t>(0, device.shared_bytes - besides - kSpare) / value_bytes;
}

// How many blocks go over so many bytes of each input, 16 at a time.
inline int64_t blocks_for(int64_t bytes, const Limits& limits, int64_t per_multiprocessor) {
  constexpr int64_t kBytesPerThread = 32;
  return std::clamp<int64_t>(ceiling(bytes, kBytesPerThread * limits.grid_threads), 1,
                             limits.multiprocessors * per_multiprocessor);
}

inline int64_t blocks_for(int64_t bytes, const Limits& limits) {
  return blocks_for(bytes, limits, limits.blocks_per_multiprocessor);
}

// How many blocks share each group, where several may.
inline int64_t blocks_of_group(const Groups& groups, int64_t element_bytes, const Limits& limits) {
  const int64_t most = limits.multiprocessors * limits.blocks_per_multiprocessor;
  return std::min(blocks_for(groups.length * element_bytes, limits),
                  std::max<int64_t>(1, most / groups.groups()));
}

}  // namespace cuda
}  // namespace tailops
