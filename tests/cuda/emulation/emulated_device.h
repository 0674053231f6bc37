#pragma once

// The host's side of csrc/kernels/cuda/device.h: the kernels run here as they are, thread by
// thread.
//
// Blocks run one after another in random order; so do a block's threads, each until it has to wait
// for its warp or its block. What a missing barrier would let happen, happens here sooner or later.
// Shared memory starts as garbage. A barrier that not all threads reach, or lanes that do not
// exchange values together, are errors.

#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "fibers.h"

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

struct Machine {
  std::mt19937 random{1};
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<int> ready;
  Fiber scheduler;
  void (*body)(void*) = nullptr;
  void* argument = nullptr;
  int current = 0;
  int count = 0;
  int at_barrier = 0;
  int64_t block = 0, blocks = 0, row = 0;
  int64_t launches = 0;
  std::string problem;
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
  Thread& own = m.threads[static_cast<size_t>(m.current)];
  own.wait = wait;
  Fiber::change(own.fiber, m.scheduler);
}

inline void wake(int thread) {
  machine().threads[static_cast<size_t>(thread)].wait = Wait::kNothing;
  machine().ready.push_back(thread);
}

inline void fiber_body() {
  Machine& m = machine();
  m.body(m.argument);
  for (;;) give_way(Wait::kFinished);
}

// Runs one block of `count` threads.
inline void run_block(int count, void (*body)(void*), void* argument) {
  Machine& m = machine();
  if (m.threads.size() < static_cast<size_t>(count)) m.threads.resize(static_cast<size_t>(count));
  m.warps.assign(static_cast<size_t>(count / kLanes), Warp());
  m.count = count;
  m.at_barrier = 0;
  m.body = body;
  m.argument = argument;
  m.ready.clear();
  for (int t = 0; t < count; ++t) {
    m.threads[static_cast<size_t>(t)].exchanges = 0;
    m.threads[static_cast<size_t>(t)].lanes = 0;
    m.threads[static_cast<size_t>(t)].fiber.start(fiber_body, &m.scheduler);
    wake(t);
  }
  std::vector<int> turn;
  while (!m.ready.empty() && m.problem.empty()) {
    turn.swap(m.ready);
    m.ready.clear();
    for (size_t i = turn.size() - 1; i > 0; --i) std::swap(turn[i], turn[m.random() % (i + 1)]);
    // Warps get ahead of each other, often by much: only some may run now, at least the first's.
    const uint32_t may_run = m.random() & m.random() | 1u << turn[0] / kLanes;
    for (const int t : turn) {
      if ((may_run >> t / kLanes & 1u) == 0) {
        m.ready.push_back(t);
        continue;
      }
      m.current = t;
      Fiber::change(m.scheduler, m.threads[static_cast<size_t>(t)].fiber);
    }
  }
  for (int t = 0; t < count && m.problem.empty(); ++t) {
    if (m.threads[static_cast<size_t>(t)].wait != Wait::kFinished) {
      complain("threads wait for others that do not come");
    }
  }
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
  Thread& own = m.threads[static_cast<size_t>(m.current)];
  const int lane = m.current % kLanes;
  Warp& warp = m.warps[static_cast<size_t>(m.current / kLanes)];
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
inline int threads() { return emulation::machine().count; }
inline int lane() { return thread() % kWarp; }
inline int warp() { return thread() / kWarp; }
inline int warps() { return threads() / kWarp; }
inline int64_t block() { return emulation::machine().block; }
inline int64_t blocks() { return emulation::machine().blocks; }
inline int64_t row_of_blocks() { return emulation::machine().row; }

inline void barrier() {
  emulation::Machine& m = emulation::machine();
  if (++m.at_barrier < m.count) return emulation::give_way(emulation::Wait::kBlock);
  m.at_barrier = 0;
  for (int t = 0; t < m.count; ++t) {
    if (t == m.current) continue;
    if (m.threads[static_cast<size_t>(t)].wait != emulation::Wait::kBlock) {
      emulation::complain("a thread has finished and others are at a barrier");
    }
    emulation::wake(t);
  }
}
inline void fence() {}

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

inline unsigned atomic_add(unsigned* to, unsigned value) {
  const unsigned before = *to;
  *to += value;
  return before;
}
inline void atomic_add(uint64_t* to, uint64_t value) { *to += value; }

inline void store(Vector16* to, const Vector16& value) { *to = value; }

template <typename Value>
void atomic_max(Value* of, Value value) {
  if (*of < value) *of = value;
}

template <typename Value>
Value load_fresh(const Value* from) {
  return *from;
}

struct Grid {
  int64_t blocks;
  int64_t rows;
  int threads;
  int64_t dynamic_bytes;
};

template <typename Kernel>
void launch(const Kernel& kernel, const Grid& grid, void*) {
  emulation::Machine& m = emulation::machine();
  if (grid.threads % kWarp != 0 || grid.threads > Kernel::kMostThreads || grid.blocks < 1 ||
      grid.rows < 1 || grid.rows > 65535) {
    throw std::logic_error("a launch that CUDA would refuse");
  }
  ++m.launches;
  struct Running {
    const Kernel* kernel;
    typename Kernel::Shared* shared;
    unsigned char* dynamic;
  };
  std::vector<int64_t> order;
  for (int64_t b = 0; b < grid.blocks * grid.rows; ++b) order.push_back(b);
  for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[m.random() % (i + 1)]);
  for (const int64_t b : order) {
    m.block = b % grid.blocks;
    m.row = b / grid.blocks;
    m.blocks = grid.blocks;
    using Shared = typename Kernel::Shared;
    // As aligned as shared memory is, and not one byte more than asked for.
    const std::unique_ptr<char[]> memory(new char[sizeof(Shared)]);
    const std::unique_ptr<unsigned char[]> dynamic(
        new unsigned char[static_cast<size_t>(grid.dynamic_bytes)]);
    const int garbage = static_cast<int>(m.random() % 256);
    std::memset(memory.get(), garbage, sizeof(Shared));
    std::memset(dynamic.get(), garbage, static_cast<size_t>(grid.dynamic_bytes));
    Running running{&kernel, reinterpret_cast<Shared*>(memory.get()), dynamic.get()};
    emulation::run_block(
        grid.threads,
        [](void* argument) {
          const Running& of = *static_cast<Running*>(argument);
          of.kernel->run(*of.shared, of.dynamic);
        },
        &running);
  }
}

}  // namespace device
}  // namespace tailops
