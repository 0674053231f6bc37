#pragma once

// What happens before what: PTX's causality order, as far as a run of the machine shows it.
//
// Each block has a clock that goes on whenever something orders its threads. What a thread does
// gets a stamp: who, and when. A thread knows of a stamp what its last barriers, and the messages
// that it has acquired, have told it; what it does not know, nothing orders.
//
// A message is what an atomic or a strong store leaves with its location: what its thread knew at
// its last fence before it. Who reads the location by an atomic or a strong load has the message,
// and knows it from its next fence on. That is PTX's release pattern and acquire pattern.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "program/instruction.h"

namespace virtual_gpu {

struct Block;
struct Warp;

struct Stamp {
  uint32_t thread = 0;  // of the launch: number of the block × 1,024 + thread of the block
  uint32_t time : 31 = 0;
  uint32_t is_strong : 1 = 0;  // an atomic, or a load or store that is not weak
};

// What is known of other blocks, and of single threads beyond what is known of their block: up to
// which time. Never changed once it is made; shared by all who know the same.
struct Knowledge {
  std::map<uint32_t, uint32_t> blocks;
  std::map<uint32_t, uint32_t> threads;
};
using Known = std::shared_ptr<const Knowledge>;

// Both; either may be null, and then the result is the other.
Known both(const Known& a, const Known& b);

struct ThreadOrder {
  Known acquired;          // since the block's last barrier
  Known pending;           // messages that wait for a fence
  Known released;          // what its last fence has made a message of
  Known pending_of_block;  // the same where only the block is meant: shared memory
  Known released_for_block;
};

// Of a warp: up to when each lane knows what the others did, beyond the last barrier of the block.
struct WarpOrder {
  uint32_t all = 0;
  std::array<std::array<uint32_t, 32>, 32> lanes{};
};

using Messages = std::map<uint64_t, Known>;  // by address

struct BlockOrder {
  uint32_t now = 1;
  uint32_t barrier = 0;  // all that was done up to then is known to every thread
  Known known;           // to every thread, of other blocks
  std::vector<WarpOrder> warps;
  std::vector<ThreadOrder> threads;
  Messages shared_messages;

  explicit BlockOrder(int threads_of_block)
      : warps(static_cast<size_t>(threads_of_block + 31) / 32),
        threads(static_cast<size_t>(threads_of_block + 31) / 32 * 32) {}
};

Stamp stamp_of(const Warp& warp, int lane, bool is_strong);
// Whether what the stamp is of happens before what the lane does now.
bool knows(const Warp& warp, int lane, Stamp stamp);

void order_block(Block& block);                // at its barrier
void order_lanes(Warp& warp, uint32_t lanes);  // at a barrier of lanes
void order_by_fence(Warp& warp, uint32_t lanes, Scope scope);

enum class Use : uint8_t { kReads, kWrites, kReadsAndWrites };
// An atomic or a strong access of a lane.
void order_by_location(Warp& warp, int lane, uint64_t address, bool is_shared, Use use,
                       Order order);

}  // namespace virtual_gpu
