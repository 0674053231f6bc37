#pragma once

// What decides between the paths, besides shape and options: facts of the device, and what has been
// chosen for all of them. A test makes all of them small.

#include <cstdint>

namespace tailops {
namespace cuda {

struct DeviceFacts {
  int multiprocessors = 1;
  int64_t shared_bytes = 48 << 10;  // dynamic shared memory that a block may have
};

struct Tuning {
  // Who does a group.
  int64_t block_elements = 16384;         // groups up to here are one block's
  int64_t groups_per_multiprocessor = 2;  // and, from so many groups on, those of any length
  int64_t short_elements = 1024;          // groups up to here are a warp's or less, where there are
  int64_t short_groups_per_multiprocessor = 8;  // so many
  int64_t tile_elements = 64;                   // shorter columns are not read together

  // How many at once.
  int most_group_threads = 512;
  int grid_threads = 256;
  int bracket_threads = 512;
  int64_t blocks_per_multiprocessor = 4;
  int64_t most_groups_at_once = 16;
  int64_t most_blocks = (int64_t{1} << 31) - 1;
  int64_t piece = int64_t{1} << 30;  // a block counts so many in 32 bits
  int64_t row_part = 32768;          // a longer row is several warps' work, each of a part of it

  // How much of the workspace.
  int64_t sample_bytes = 256 << 10;  // for the samples of the groups in flight
  int64_t least_sample = 2048;
  int64_t alone_sample = 4096;      // a larger one is drawn by many blocks
  int64_t most_listed = 8192;       // where the order statistics are, in the groups in flight
  int64_t spare_bytes = 384 << 10;  // room for candidates besides their share of the inputs
};

struct Limits : DeviceFacts, Tuning {};

}  // namespace cuda
}  // namespace tailops
