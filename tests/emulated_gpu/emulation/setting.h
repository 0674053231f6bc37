#pragma once

// What an emulated call is given besides its arguments, and how it is run.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "core/float_types.h"
#include "cuda/device/layout.h"
#include "cuda/device/limits.h"
#include "emulated_device.h"

namespace tailops {

struct LimitArguments {
  int64_t multiprocessors;
  int64_t shared_bytes;
  int64_t block_elements;
  int64_t short_elements;
  int64_t short_groups_per_multiprocessor;
  int64_t tile_elements;
  int64_t most_group_threads;
  int64_t grid_threads;
  int64_t bracket_threads;
  int64_t blocks_per_multiprocessor;
  int64_t most_groups_at_once;
  int64_t sample_bytes;
  int64_t least_sample;
  int64_t alone_sample;
  int64_t most_listed;
  int64_t spare_bytes;
  int64_t piece;
  int64_t most_blocks;
  int64_t row_part;
};

inline cuda::Limits limits_of(const LimitArguments& a) {
  cuda::Limits limits;
  limits.multiprocessors = static_cast<int>(a.multiprocessors);
  limits.shared_bytes = a.shared_bytes;
  limits.block_elements = a.block_elements;
  limits.short_elements = a.short_elements;
  limits.short_groups_per_multiprocessor = a.short_groups_per_multiprocessor;
  limits.tile_elements = a.tile_elements;
  limits.most_group_threads = static_cast<int>(a.most_group_threads);
  limits.grid_threads = static_cast<int>(a.grid_threads);
  limits.bracket_threads = static_cast<int>(a.bracket_threads);
  limits.blocks_per_multiprocessor = a.blocks_per_multiprocessor;
  limits.most_groups_at_once = a.most_groups_at_once;
  limits.sample_bytes = a.sample_bytes;
  limits.least_sample = a.least_sample;
  limits.alone_sample = a.alone_sample;
  limits.most_listed = a.most_listed;
  limits.spare_bytes = a.spare_bytes;
  limits.piece = a.piece;
  limits.most_blocks = a.most_blocks;
  limits.row_part = a.row_part;
  return limits;
}

// run(arguments) with an order of threads of its own; what it throws is their `problem`.
template <typename Arguments, typename Run>
void emulate(void* arguments, const Run& run) {
  auto& a = *static_cast<Arguments*>(arguments);
  a.problem[0] = '\0';
  emulation::machine().random.seed(static_cast<unsigned>(a.seed));
  emulation::machine().launches = 0;
  try {
    run(a);
  } catch (const std::exception& problem) {
    std::snprintf(a.problem, sizeof(a.problem), "%s", problem.what());
  }
  a.launches = emulation::machine().launches;
}

// body(T{}) for the element type of this number.
template <typename Body>
void with_float(int64_t dtype, const Body& body) {
  switch (dtype) {
    case 0:
      return body(float{});
    case 2:
      return body(Float16{});
#if !defined(TAILOPS_TWO_TYPES)  // under sanitizers, the others take longer to compile than to run
    case 1:
      return body(double{});
    case 3:
      return body(BFloat16{});
#endif
    default:
      throw std::invalid_argument("a type that is not compiled in");
  }
}

inline void require_launches(int64_t planned) {
  if (emulation::machine().launches != planned) {
    throw std::logic_error("not the launches of the plan");
  }
}

// Exactly as large as asked for, aligned, and dirty: with 0xff, every number in it is NaN or huge.
// Blocks see late what others have written there.
class DirtyMemory {
 public:
  explicit DirtyMemory(int64_t bytes, int64_t seed)
      : bytes_(static_cast<char*>(std::aligned_alloc(
            cuda::kAlignment, static_cast<size_t>(bytes == 0 ? cuda::kAlignment : bytes)))) {
    std::memset(bytes_, seed % 2 == 0 ? 0xff : 0x41, static_cast<size_t>(bytes));
    emulation::machine().memory.watch(bytes_, static_cast<size_t>(bytes));
  }
  ~DirtyMemory() {
    emulation::machine().memory.watch_nothing();
    std::free(bytes_);
  }
  DirtyMemory(const DirtyMemory&) = delete;
  DirtyMemory& operator=(const DirtyMemory&) = delete;
  void* data() const { return bytes_; }

 private:
  char* const bytes_;
};

}  // namespace tailops
