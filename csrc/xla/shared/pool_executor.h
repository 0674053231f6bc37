#pragma once

// XLA's intra-op threads as an executor.
//
// The calling thread may itself be one of the pool's, and so may be every other thread that waits
// here: a piece of work that is only queued might never run. So threads claim pieces as they come,
// the caller claims like everybody else, and it waits for nothing but pieces that a running thread
// has claimed. A task that starts when all is claimed touches nothing of the call's.

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <new>

#include "core/executor.h"
#include "xla/ffi/api/ffi.h"

namespace tailops {

class PoolExecutor final : public Executor {
 public:
  explicit PoolExecutor(xla::ffi::ThreadPool& pool)
      : pool_(pool), threads_(std::max<int64_t>(1, pool.num_threads())) {}

  int concurrency() const override { return static_cast<int>(threads_); }

  void run(int64_t count, int64_t /*elements*/, const Body& body) override {
    const auto work =
        std::make_shared<Work>(count, std::min(count, threads_ * kPiecesPerThread), body);
    schedule(work, std::min(threads_, work->pieces) - 1);
    work->claim();
    work->finished.get_future().wait();
  }

 private:
  // More pieces than threads: one that comes late or is interrupted holds up little.
  static constexpr int64_t kPiecesPerThread = 4;

  struct Work {
    Work(int64_t indices, int64_t parts, const Body& run)
        : count(indices), pieces(parts), body(run) {}

    void claim() {
      for (int64_t piece = next++; piece < pieces; piece = next++) {
        body(count * piece / pieces, count * (piece + 1) / pieces);
        if (++done == pieces) finished.set_value();
      }
    }

    const int64_t count;
    const int64_t pieces;
    const Body& body;  // the caller's: gone once all pieces are done
    std::atomic<int64_t> next{0};
    std::atomic<int64_t> done{0};
    std::promise<void> finished;
  };

  // Those for whom there is no memory are done without: the caller claims what they would have.
  void schedule(const std::shared_ptr<Work>& work, int64_t helpers) {
    try {
      for (int64_t i = 0; i < helpers; ++i) pool_.Schedule([work] { work->claim(); });
    } catch (const std::bad_alloc&) {
    }
  }

  xla::ffi::ThreadPool& pool_;
  const int64_t threads_;
};

}  // namespace tailops
