#pragma once

// Patterns of bits, by blocks, on two threads; a fault that is planted among them; what is wrong.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include "../flush_subnormals.h"
#include "core/subnormals.h"

namespace tailops {

// One result of one map that is given as another.
struct Fault {
  std::string map;
  uint32_t pattern = 0;
};
inline Fault planted;

template <typename Result>
void plant(const char* map, uint32_t first, Result* results, uint32_t n) {
  if (planted.map != map) return;
  const uint32_t at = planted.pattern - first;
  if (at < n) results[at] ^= 1;
}

class Findings {
 public:
  void add(const char* map, uint32_t pattern, uint64_t times) {
    const std::lock_guard<std::mutex> lock(mutex_);
    wrong_ += times;
    if (++lines_ <= 20) std::printf("%s of 0x%08x\n", map, pattern);
  }
  uint64_t wrong() const { return wrong_; }

 private:
  std::mutex mutex_;
  uint64_t wrong_ = 0;
  int lines_ = 0;
};
inline Findings findings;

// right(i) for each result of a block. The first loop has no branch: compilers make vectors of it.
template <typename Right>
void expect(const char* map, uint32_t first, uint32_t n, const Right& right) {
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < n; ++i) wrong += !right(i);
  if (wrong == 0) return;
  uint32_t at = 0;
  while (right(at)) ++at;
  findings.add(map, first + at, wrong);
}

// body(first pattern) for the blocks that are taken(block), as frameworks' threads run kernels:
// with subnormal numbers flushed outside. Returns how many blocks.
template <typename Taken, typename Body>
uint64_t sweep(uint64_t blocks, uint32_t block_size, const Taken& taken, const Body& body) {
  constexpr uint64_t kShare = 64;
  std::atomic<uint64_t> next{0}, done{0};
  const auto work = [&] {
    flush_subnormals();
    const auto share = [&](uint64_t begin) {
      for (uint64_t b = begin; b < std::min(begin + kShare, blocks); ++b) {
        if (!taken(b)) continue;
        body(static_cast<uint32_t>(b * block_size));
        ++done;
      }
    };
    for (uint64_t begin; (begin = next.fetch_add(kShare)) < blocks;) {
      if (planted.map == "subnormals") {
        share(begin);
      } else {
        const KeepSubnormals keep;
        share(begin);
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  return done;
}

}  // namespace tailops
