#pragma once

// Weak memory: what a load of global memory may see.
//
// Memory itself always holds the newest value. Where the setting asks for it, each write of a
// launch is remembered as well, and a load takes, at random, any value from the last write that its
// thread knows of to the newest: one mechanism for stores that others see late and for loads that
// are stale. Nothing is seen before it is written, and no thread goes back in the order of a
// location's writes.

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "machine/happens_before.h"

namespace virtual_gpu {

class History {
 public:
  // Before the memory at the address, which has `bytes` up to 8, all in one word, becomes the
  // value.
  void write(const Warp& warp, int lane, uint64_t address, size_t bytes, uint64_t value);
  // What a load sees; `newest` is what memory holds. It may differ where something is unordered.
  uint64_t read(Warp& warp, int lane, uint64_t address, size_t bytes, uint64_t newest);

 private:
  struct Write {
    Stamp stamp;
    uint8_t offset, bytes;
    uint64_t value;
  };
  // Of the 8 bytes at an address that is a multiple of 8.
  struct Word {
    uint64_t before = 0;     // what was there before the first of the writes
    uint64_t forgotten = 0;  // how many there were before those
    std::vector<Write> writes;
    std::map<uint32_t, uint64_t> seen;  // by a thread: up to how many of all writes
  };

  static void apply(uint64_t& word, const Write& write);

  std::unordered_map<uint64_t, Word> words_;
};

}  // namespace virtual_gpu
