#pragma once

// The host's side of csrc/cuda/device/device.h: the kernels run here as they are, thread by
// thread.
//
// Some blocks at a time take turns, and see late what the others have written: views.h. Within a
// block, threads run in random order, each until it has to wait for its warp or its block. What a
// missing barrier or fence would let happen, happens here sooner or later. Shared memory starts as
// garbage. A barrier that not all threads reach, or lanes that do not exchange values together, are
// errors.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/device/grid.h"
#include "fibers.h"
#include "views.h"

#define TAILOPS_DEVICE inline
#define TAILOPS_UNROLL

namespace tailops {
namespace emulation {

constexpr int kLanes = 32;

enum class Wait { kNothing, kWarp, kBlock, kFinished };

struct Thread {
  Fiber fiber;
  Wait wait = Wait::kNothing;
  int exchanges = 0;
  uint32_t lanes = 0;  // with which it exchanges values; always the same in a launch
  Order order;
};

// What some lanes of a warp exchange.
struct Exchange {
  uint32_t arrived = 0;
  const char* what = nullptr;
};

struct Warp {
  alignas(16) char values[2][kLanes][64];
  Exchange exchanges[kLanes];  // by the first of the lanes
};

struct Block {
  int64_t index = 0, row = 0;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<int> ready;
  int at_barrier = 0;
  // As aligned as shared memory is, and not one byte more than asked for.
  std::unique_ptr<char[]> shared;
  std::unique_ptr<unsigned char[]> dynamic;
  View view;
};

struct Launch {
  int threads;
  int64_t blocks;
  int64_t rows;
  size_t shared_bytes;
  size_t dynamic_bytes;
  const void* kernel;
  void (*run)(const Launch& launch, Block& block);
};

struct Machine {
  std::mt19937 random{1};
  Memory memory;
  std::vector<std::unique_ptr<Block>> resident;
  const Launch* launch = nullptr;
  Block* block = nullptr;  // that runs
  int current = 0;         // its thread
  Fiber scheduler;
  int64_t launches = 0;
  std::string problem;

  Thread& thread() { return block->threads[static_cast<size_t>(current)]; }
};

inline Machine& machine() {
  static Machine one;
  return one;
}

// The first problem is the one that is told.
inline void complain(const char* problem) {
  if (machine().problem.empty()) machine().problem = problem;
}

inline void give_way(Wait wait) {
  Machine& m = machine();
  Thread& own = m.thread();
  own.wait = wait;
  Fiber::change(own.fiber, m.scheduler);
}

inline void wake(int thread) {
  Block& block = *machine().block;
  block.threads[static_cast<size_t>(thread)].wait = Wait::kNothing;
  block.ready.push_back(thread);
}

inline void fiber_body() {
  Machine& m = machine();
  m.launch->run(*m.launch, *m.block);
  for (;;) give_way(Wait::kFinished);
}

template <typename Value>
void shuffle(std::vector<Value>& values) {
  std::mt19937& random = machine().random;
  for (size_t i = values.size() - 1; i > 0; --i) std::swap(values[i], values[random() % (i + 1)]);
}

// Makes the block that runs the one at this place of the launch.
inline void start_block(int64_t at) {
  Machine& m = machine();
  const Launch& launch = *m.launch;
  Block& block = *m.block;
  block.index = at % launch.blocks;
  block.row = at / launch.blocks;
  block.threads.resize(static_cast<size_t>(launch.threads));
  block.warps.assign(static_cast<size_t>(launch.threads / kLanes), Warp());
  block.at_barrier = 0;
  block.ready.clear();
  block.shared.reset(new char[launch.shared_bytes]);
  block.dynamic.reset(new unsigned char[launch.dynamic_bytes]);
  const int garbage = static_cast<int>(m.random() % 256);
  std::memset(block.shared.get(), garbage, launch.shared_bytes);
  std::memset(block.dynamic.get(), garbage, launch.dynamic_bytes);
  m.memory.start(block.view, m.random() % 2 == 0);
  for (int t = 0; t < launch.threads; ++t) {
    Thread& thread = block.threads[static_cast<size_t>(t)];
    thread.exchanges = 0;
    thread.lanes = 0;
    thread.order = Order();
    thread.fiber.start(fiber_body, &m.scheduler);
    wake(t);
  }
}

// Each thread of the block that runs which need not wait, until it must.
inline void take_turn() {
  Machine& m = machine();
  Block& block = *m.block;
  std::vector<int> turn;
  turn.swap(block.ready);
  shuffle(turn);
  // Warps get ahead of each other, often by much: only some may run now, at least the first's.
  const uint32_t may_run = (m.random() & m.random()) | 1u << turn[0] / kLanes;
  for (const int t : turn) {
    if ((may_run >> t / kLanes & 1u) == 0) {
      block.ready.push_back(t);
      continue;
    }
    m.current = t;
    Fiber::change(m.scheduler, m.thread().fiber);
  }
}

inline void finish_block() {
  Machine& m = machine();
  for (const Thread& thread : m.block->threads) {
    if (thread.wait != Wait::kFinished) complain("threads wait for others that do not come");
  }
  m.memory.finish(m.block->view, m.random() % 2 == 0);
}

inline void run(const Launch& launch) {
  constexpr size_t kMostResident = 4, kMostTurns = 16;
  Machine& m = machine();
  m.launch = &launch;
  std::vector<int64_t> waiting(static_cast<size_t>(launch.blocks * launch.rows));
  for (size_t b = 0; b < waiting.size(); ++b) waiting[b] = static_cast<int64_t>(b);
  shuffle(waiting);
  m.memory.begin_launch();
  size_t running = std::min(waiting.size(), 1 + m.random() % kMostResident);
  while (m.resident.size() < running) m.resident.push_back(std::make_unique<Block>());
  for (size_t b = 0; b < running; ++b) {
    m.block = m.resident[b].get();
    start_block(waiting.back());
    waiting.pop_back();
  }
  while (running > 0 && m.problem.empty()) {
    const size_t b = m.random() % running;
    m.block = m.resident[b].get();
    m.memory.enter(m.block->view);
    for (size_t turns = 1 + m.random() % kMostTurns; turns > 0; --turns) {
      if (!m.block->ready.empty() && m.problem.empty()) take_turn();
    }
    m.memory.leave(m.block->view);
    if (!m.block->ready.empty()) continue;
    finish_block();
    if (waiting.empty()) {
      std::swap(m.resident[b], m.resident[--running]);
    } else {
      start_block(waiting.back());
      waiting.pop_back();
    }
  }
  m.memory.end_launch();
  if (!m.problem.empty()) {
    const std::string problem = m.problem;
    m.problem.clear();
    throw std::logic_error(problem);
  }
}

// The values of these lanes of the warp, once all have given theirs.
inline const char (*exchange(const void* value, size_t size, const char* what,
                             uint32_t lanes))[64] {
  Machine& m = machine();
  Thread& own = m.thread();
  const int lane = m.current % kLanes;
  Warp& warp = m.block->warps[static_cast<size_t>(m.current / kLanes)];
  if ((lanes >> lane & 1u) == 0) complain("a lane exchanges values of others");
  if (own.lanes != 0 && own.lanes != lanes) complain("a lane exchanges with some and with others");
  own.lanes = lanes;
  Exchange& with = warp.exchanges[__builtin_ctz(lanes)];
  const int side = own.exchanges++ % 2;
  if (size != 0) std::memcpy(warp.values[side][lane], value, size);
  if (with.arrived == 0) with.what = what;
  if (std::strcmp(with.what, what) != 0) complain("lanes of a warp exchange different things");
  with.arrived |= uint32_t{1} << lane;
  if (with.arrived == lanes) {
    with.arrived = 0;
    const int first = m.current - lane;
    for (int other = 0; other < kLanes; ++other) {
      if (other != lane && (lanes >> other & 1u) != 0) wake(first + other);
    }
  } else {
    give_way(Wait::kWarp);
  }
  return warp.values[side];
}

}  // namespace emulation

namespace device {

constexpr int kWarp = emulation::kLanes;
constexpr unsigned kEveryLane = 0xffffffffu;

struct alignas(16) Vector16 {
  uint32_t words[4];
};

inline int thread() { return emulation::machine().current; }
inline int threads() { return emulation::machine().launch->threads; }
inline int lane() { return thread() % kWarp; }
inline int warp() { return thread() / kWarp; }
inline int warps() { return threads() / kWarp; }
inline int64_t block() { return emulation::machine().block->index; }
inline int64_t blocks() { return emulation::machine().launch->blocks; }
inline int64_t row_of_blocks() { return emulation::machine().block->row; }

inline void barrier() {
  emulation::Block& block = *emulation::machine().block;
  if (++block.at_barrier < threads()) return emulation::give_way(emulation::Wait::kBlock);
  block.at_barrier = 0;
  for (int t = 0; t < threads(); ++t) {
    if (t == thread()) continue;
    if (block.threads[static_cast<size_t>(t)].wait != emulation::Wait::kBlock) {
      emulation::complain("a thread has finished and others are at a barrier");
    }
    emulation::wake(t);
  }
}
inline void fence() {
  emulation::Machine& m = emulation::machine();
  m.memory.fence(m.block->view, m.thread().order);
}

inline void barrier_of_lanes(unsigned lanes) {
  emulation::exchange(nullptr, 0, "barrier of lanes", lanes);
}

inline unsigned ballot(bool condition, unsigned lanes = kEveryLane) {
  const auto* const all = emulation::exchange(&condition, sizeof(condition), "ballot", lanes);
  unsigned bits = 0;
  for (int i = 0; i < kWarp; ++i) bits |= (lanes >> i & 1u) && all[i][0] != 0 ? 1u << i : 0u;
  return bits;
}

template <typename Value>
Value shuffle(const Value& value, int from, unsigned lanes = kEveryLane) {
  static_assert(sizeof(Value) % sizeof(unsigned) == 0 && sizeof(Value) <= 64, "moved in words");
  const auto* const all = emulation::exchange(&value, sizeof(Value), "shuffle", lanes);
  if ((lanes >> from & 1u) == 0) emulation::complain("a value of a lane that does not take part");
  Value moved;
  std::memcpy(&moved, all[from], sizeof(Value));
  return moved;
}

inline int shuffle_up(int value, int distance) {
  return shuffle(value, lane() >= distance ? lane() - distance : lane());
}

inline int count_bits(unsigned bits) { return __builtin_popcount(bits); }
inline int first_bit(unsigned bits) { return __builtin_ffs(static_cast<int>(bits)) - 1; }
inline int bit_length(uint32_t bits) { return bits == 0 ? 0 : 32 - __builtin_clz(bits); }
inline int bit_length(uint64_t bits) { return bits == 0 ? 0 : 64 - __builtin_clzl(bits); }

// change(value): what the atomic makes of it. Returns what it was.
template <typename Value, typename Change>
Value atomic(Value* of, const Change& change) {
  emulation::Machine& m = emulation::machine();
  return m.memory.atomic(of, m.block->view, m.thread().order, [&] {
    const Value before = *of;
    *of = change(before);
    return before;
  });
}

inline unsigned atomic_add(unsigned* to, unsigned value) {
  return atomic(to, [&](unsigned before) { return before + value; });
}
inline void atomic_add(uint64_t* to, uint64_t value) {
  atomic(to, [&](uint64_t before) { return before + value; });
}
template <typename Value>
void atomic_max(Value* of, Value value) {
  atomic(of, [&](Value before) { return std::max(before, value); });
}

inline void store(Vector16* to, const Vector16& value) { *to = value; }

// No more than a plain load: it is the fences that say what it sees.
template <typename Value>
Value load_fresh(const Value* from) {
  return *from;
}

template <typename Kernel>
void launch(const Kernel& kernel, const Grid& grid, void*) {
  emulation::Machine& m = emulation::machine();
  if (grid.threads % kWarp != 0 || grid.threads > Kernel::kMostThreads || grid.blocks < 1 ||
      grid.rows < 1 || grid.rows > 65535) {
    throw std::logic_error("a launch that CUDA would refuse");
  }
  ++m.launches;
  using Shared = typename Kernel::Shared;
  emulation::run({grid.threads, grid.blocks, grid.rows, sizeof(Shared),
                  static_cast<size_t>(grid.dynamic_bytes), &kernel,
                  [](const emulation::Launch& launch, emulation::Block& block) {
                    static_cast<const Kernel*>(launch.kernel)
                        ->run(*reinterpret_cast<Shared*>(block.shared.get()), block.dynamic.get());
                  }});
}

}  // namespace device
}  // namespace tailops
