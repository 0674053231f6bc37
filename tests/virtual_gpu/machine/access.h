#pragma once

// An access to memory by one lane: which memory, whether it may, and what it sees.

#include <cstddef>
#include <cstdint>

#include "machine/happens_before.h"
#include "machine/warp.h"
#include "program/instruction.h"

namespace virtual_gpu {

// A place in one of the memories; a generic address has been resolved.
struct Place {
  Space space;
  uint64_t address;      // in its space
  unsigned char* first;  // where the host has it
};

// Where the lane's access begins, which has so many bytes in one piece; what is out of bounds or
// not aligned to its size is a fault.
Place place_of(Warp& warp, const Instruction& instruction, int lane, size_t bytes);

// Complains of what nobody wrote, and of what nothing orders with others' accesses.
void watch(Warp& warp, const Instruction& instruction, int lane, const Place& place, size_t bytes,
           Use use);

// An element of 8 bytes or less, as the lane sees it.
uint64_t read_element(Warp& warp, const Instruction& instruction, int lane, const Place& place,
                      size_t bytes);
void write_element(Warp& warp, const Instruction& instruction, int lane, const Place& place,
                   size_t bytes, uint64_t value);

// What memory does for a warp's access at once; the addresses are in their spaces.
void count_access(Warp& warp, const Instruction& instruction, uint32_t mask,
                  const uint64_t (&addresses)[32], Space space, size_t bytes, Use use);

}  // namespace virtual_gpu
