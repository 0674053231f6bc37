#pragma once

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "core/executor.h"

namespace tailops {

// One thread per range, started for the call: for use without a framework.
class ThreadsExecutor final : public Executor {
 public:
  explicit ThreadsExecutor(int threads) : threads_(threads) {}

  int concurrency() const override { return threads_; }

  // std::runtime_error where the system refuses a thread.
  void run(int64_t count, int64_t /*elements*/, const Body& body) override {
    const int64_t ranges = std::min<int64_t>(threads_, count);
    JoinedThreads started;
    started.threads.reserve(static_cast<size_t>(ranges - 1));
    for (int64_t r = 1; r < ranges; ++r) {
      try {
        started.threads.emplace_back(std::cref(body), count * r / ranges, count * (r + 1) / ranges);
      } catch (const std::system_error& refused) {
        throw std::runtime_error("threads=" + std::to_string(threads_) +
                                 ": the system has started " + std::to_string(r - 1) +
                                 " and refuses more: " + refused.code().message());
      }
    }
    body(0, count / ranges);
  }

 private:
  // Joined on every way out: a thread that is destroyed while it runs ends the process.
  struct JoinedThreads {
    ~JoinedThreads() {
      for (std::thread& thread : threads) thread.join();
    }
    std::vector<std::thread> threads;
  };

  const int threads_;
};

}  // namespace tailops
