#pragma once

// What a profiler would count of a launch without a clock.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace virtual_gpu {

// Of a warp's accesses: requests, and what memory did for them.
struct Traffic {
  int64_t requests = 0;
  int64_t bytes = 0;         // that the lanes asked for
  int64_t transactions = 0;  // sectors of 32 bytes; of shared memory: passes over its 32 banks
  int64_t fewest = 0;        // what so many bytes need at least
};

struct Counts {
  std::string kernel;
  int64_t blocks = 0;
  int64_t threads = 0;
  int64_t warp_instructions = 0;
  int64_t thread_instructions = 0;
  int64_t splits = 0;
  Traffic loads, stores, atomics, shared, local;
  std::map<int, Traffic> lines;  // of the module's text: global and shared memory
};

// Launches since they were last taken, in their order.
void add_counts(Counts counts);
std::vector<Counts> take_counts();

}  // namespace virtual_gpu
