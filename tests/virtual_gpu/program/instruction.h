#pragma once

// An instruction as the machine runs it: its form has become a function, its operands numbers.

#include <cstdint>
#include <string>
#include <vector>

#include "program/types.h"

namespace virtual_gpu {

struct Instruction;
struct Warp;

// Does an instruction for the lanes of a mask, one of which is there at least.
using Execute = void (*)(Warp& warp, const Instruction& instruction, uint32_t mask);

// Where a warp goes on. kNext: at the next instruction. kExchange: all lanes that the instruction
// names must be there before it is executed. kBarrier: all threads of the block.
enum class Control : uint8_t { kNext, kBranch, kBranchTable, kExit, kExchange, kBarrier, kTrap };

// What the memory model promises of an access. kFixed: the memory does not change during a launch.
enum class Order : uint8_t { kWeak, kRelaxed, kAcquire, kRelease, kAcquireRelease, kFixed };

struct Instruction {
  Execute execute = nullptr;
  Control control = Control::kNext;

  // Registers, as numbers from 0; constants, as numbers below 0.
  static constexpr int kNone = INT32_MIN;
  std::vector<int> to;
  std::vector<int> from;
  int second_predicate = kNone;  // `setp p|q`, `shfl d|p`
  int guard = kNone;
  bool guard_is_negated = false;

  // Of an access to memory: [base + offset], elements of `type`, `vector` of them.
  int base = kNone;
  int64_t offset = 0;
  Type type = Type::kNone;
  int vector = 1;
  uint32_t used_bytes = ~0u;  // a bit for each of the access's; of the others there is no telling
  Space space = Space::kGeneric;
  Order order = Order::kWeak;
  Scope scope = Scope::kSystem;

  int choice = 0;  // a number for whoever executes it
  std::vector<int> targets;
  int line = 0;  // of the module's text
};

}  // namespace virtual_gpu
