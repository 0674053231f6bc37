#include "machine/happens_before.h"

#include <algorithm>

#include "machine/grid.h"

namespace virtual_gpu {
namespace {

constexpr uint32_t kMostThreads = 1024;

uint32_t thread_of(const Warp& warp, int lane) {
  return warp.block->number * kMostThreads + static_cast<uint32_t>(warp.index * 32 + lane);
}

ThreadOrder& order_of(Warp& warp, int lane) {
  return warp.block->order.threads[static_cast<size_t>(warp.index * 32 + lane)];
}

void raise(std::map<uint32_t, uint32_t>& times, uint32_t key, uint32_t time) {
  uint32_t& known = times[key];
  known = std::max(known, time);
}

void add(Knowledge& all, const Known& known) {
  if (!known) return;
  for (const auto& [block, time] : known->blocks) raise(all.blocks, block, time);
  for (const auto& [thread, time] : known->threads) raise(all.threads, thread, time);
}

bool has(const Known& known, Stamp stamp) {
  if (!known) return false;
  const auto block = known->blocks.find(stamp.thread / kMostThreads);
  if (block != known->blocks.end() && stamp.time <= block->second) return true;
  const auto thread = known->threads.find(stamp.thread);
  return thread != known->threads.end() && stamp.time <= thread->second;
}

uint32_t known_of_lane(const WarpOrder& order, int lane, int other) {
  return std::max(order.all, order.lanes[static_cast<size_t>(lane)][static_cast<size_t>(other)]);
}

// All that the lane knows, and what it did itself: what a fence lets others know.
Known all_known(Warp& warp, int lane) {
  const BlockOrder& order = warp.block->order;
  const WarpOrder& lanes = order.warps[static_cast<size_t>(warp.index)];
  auto all = std::make_shared<Knowledge>();
  add(*all, order.known);
  add(*all, order_of(warp, lane).acquired);
  raise(all->blocks, warp.block->number, order.barrier);
  for (int other = 0; other < 32; ++other) {
    const uint32_t time = other == lane ? order.now : known_of_lane(lanes, lane, other);
    if (time > order.barrier) raise(all->threads, thread_of(warp, other), time);
  }
  return all;
}

}  // namespace

Known both(const Known& a, const Known& b) {
  if (!a || a == b) return b;
  if (!b) return a;
  auto all = std::make_shared<Knowledge>(*a);
  add(*all, b);
  return all;
}

Stamp stamp_of(const Warp& warp, int lane, bool is_strong) {
  return {thread_of(warp, lane), warp.block->order.now, is_strong};
}

bool knows(const Warp& warp, int lane, Stamp stamp) {
  const uint32_t self = thread_of(warp, lane);
  if (stamp.time == 0 || stamp.thread == self) return true;
  const BlockOrder& order = warp.block->order;
  if (stamp.thread / kMostThreads == warp.block->number) {
    if (stamp.time <= order.barrier) return true;
    if (stamp.thread / 32 == self / 32) {
      const WarpOrder& lanes = order.warps[static_cast<size_t>(warp.index)];
      if (stamp.time <= known_of_lane(lanes, lane, static_cast<int>(stamp.thread % 32))) {
        return true;
      }
    }
  }
  return has(order.known, stamp) ||
         has(order.threads[static_cast<size_t>(warp.index * 32 + lane)].acquired, stamp);
}

void order_block(Block& block) {
  BlockOrder& order = block.order;
  for (ThreadOrder& thread : order.threads) {
    if (!thread.acquired) continue;
    order.known = both(order.known, thread.acquired);
    thread.acquired = nullptr;
  }
  order.barrier = order.now++;
}

void order_lanes(Warp& warp, uint32_t lanes) {
  BlockOrder& order = warp.block->order;
  WarpOrder& of_warp = order.warps[static_cast<size_t>(warp.index)];
  Known acquired;
  for (uint32_t left = lanes; left != 0; left &= left - 1) {
    acquired = both(acquired, order_of(warp, __builtin_ctz(left)).acquired);
  }
  if (acquired) {
    for (uint32_t left = lanes; left != 0; left &= left - 1) {
      order_of(warp, __builtin_ctz(left)).acquired = acquired;
    }
  }
  if (lanes == ~0u) {
    of_warp.all = order.now++;
    return;
  }
  std::array<uint32_t, 32> joint{};
  for (uint32_t left = lanes; left != 0; left &= left - 1) {
    const auto& row = of_warp.lanes[static_cast<size_t>(__builtin_ctz(left))];
    for (size_t i = 0; i < 32; ++i) joint[i] = std::max(joint[i], row[i]);
  }
  for (uint32_t left = lanes; left != 0; left &= left - 1) {
    joint[static_cast<size_t>(__builtin_ctz(left))] = order.now;
  }
  for (uint32_t left = lanes; left != 0; left &= left - 1) {
    of_warp.lanes[static_cast<size_t>(__builtin_ctz(left))] = joint;
  }
  ++order.now;
}

void order_by_fence(Warp& warp, uint32_t lanes, Scope scope) {
  for (uint32_t left = lanes; left != 0; left &= left - 1) {
    const int lane = __builtin_ctz(left);
    ThreadOrder& thread = order_of(warp, lane);
    thread.acquired = both(thread.acquired, thread.pending_of_block);
    thread.pending_of_block = nullptr;
    if (scope != Scope::kBlock) {
      thread.acquired = both(thread.acquired, thread.pending);
      thread.pending = nullptr;
    }
    thread.released_for_block = all_known(warp, lane);
    if (scope != Scope::kBlock) thread.released = thread.released_for_block;
  }
  ++warp.block->order.now;
}

void order_by_location(Warp& warp, int lane, uint64_t address, bool is_shared, Use use,
                       Order order) {
  ThreadOrder& thread = order_of(warp, lane);
  Messages& messages = is_shared ? warp.block->order.shared_messages : warp.block->grid->messages;
  const auto found = messages.find(address);
  const Known message = found == messages.end() ? nullptr : found->second;
  const bool acquires = order == Order::kAcquire || order == Order::kAcquireRelease;
  const bool releases = order == Order::kRelease || order == Order::kAcquireRelease;
  // By an instruction that releases by itself: what is known before it reads.
  const Known released = releases    ? all_known(warp, lane)
                         : is_shared ? thread.released_for_block
                                     : thread.released;
  if (use != Use::kWrites && message) {
    Known& to = acquires ? thread.acquired : is_shared ? thread.pending_of_block : thread.pending;
    to = both(to, message);
  }
  if (use != Use::kReads) {
    // What reads and writes at once passes on the message that it finds.
    const Known left = use == Use::kReadsAndWrites ? both(message, released) : released;
    if (left) {
      messages[address] = left;
    } else if (found != messages.end()) {
      messages.erase(found);
    }
  }
  if (releases) ++warp.block->order.now;
}

}  // namespace virtual_gpu
