#pragma once

// A warp: 32 threads that go on together while they are at the same instruction.
//
// Since Volta each thread has a place of its own in the program. Those at the same place are a
// split of the warp, and are executed together; a branch that they take differently makes two of
// one, and splits that meet again become one, when the machine gets to it: nothing says that they
// must, but for a barrier of lanes.

#include <array>
#include <cstdint>
#include <vector>

#include "program/module.h"

namespace virtual_gpu {

struct Block;

struct Split {
  enum State : uint8_t { kRuns, kWaitsForLanes, kWaitsForBlock };

  uint32_t at;  // index of its next instruction
  uint32_t mask;
  State state;
};

struct Warp {
  Block* block = nullptr;
  const Kernel* kernel = nullptr;
  int index = 0;
  std::vector<uint64_t> registers;  // 32 lanes of each
  std::vector<Split> splits;
  uint32_t exist = 0;  // lanes that the launch has
  uint32_t exited = 0;
  std::array<uint32_t, 32> named;  // the lanes that each lane waits for
  std::array<uint8_t, 32> carry;   // of add.cc and the like

  const uint64_t* read(int operand) const {
    return operand >= 0 ? &registers[static_cast<size_t>(operand) * 32]
                        : &kernel->constants[static_cast<size_t>(-operand - 1) * 32];
  }
  uint64_t* write(int operand) { return &registers[static_cast<size_t>(operand) * 32]; }
};

}  // namespace virtual_gpu
