#pragma once

#include <algorithm>
#include <thread>
#include <vector>

#include "kernels/executor.h"

namespace tailops {

// One thread per range, started for the call: for use without a framework.
class ThreadsExecutor final : public Executor {
 public:
  explicit ThreadsExecutor(int threads) : threads_(threads) {}

  int concurrency() const override { return threads_; }

  void run(int64_t count, int64_t /*elements*/, const Body& body) override {
    const int64_t ranges = std::min<int64_t>(threads_, count);
    std::vector<std::thread> started;
    for (int64_t r = 1; r < ranges; ++r) {
      started.emplace_back(body, count * r / ranges, count * (r + 1) / ranges);
    }
    body(0, count / ranges);
    for (std::thread& thread : started) thread.join();
  }

 private:
  const int threads_;
};

}  // namespace tailops
