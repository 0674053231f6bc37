#include "core/executor.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <utility>

#include "core/growing_buffer.h"
#include "core/subnormals.h"

namespace tailops {
namespace {

// The first thing that was thrown on any thread. No lock: only who comes first writes.
class FirstThrown {
 public:
  void keep(std::exception_ptr thrown) noexcept {
    if (!taken_.exchange(true)) first_ = std::move(thrown);
  }

  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::atomic<bool> taken_{false};
  std::exception_ptr first_;
};

}  // namespace

void parallel_for(Executor& executor, int64_t count, int64_t elements, const Executor::Body& body) {
  const auto guarded = [&body](int64_t begin, int64_t end) {
    const KeepSubnormals guard;
    const ScratchScope scope;
    body(begin, end);
  };
  if (count <= 1 || executor.concurrency() <= 1 || count * elements < kParallelElements) {
    return guarded(0, count);
  }
  FirstThrown thrown;
  const auto caught = [&](int64_t begin, int64_t end) noexcept {
    try {
      guarded(begin, end);
    } catch (...) {
      thrown.keep(std::current_exception());
    }
  };
  // By reference: what fits into Body's own memory needs none from the system.
  executor.run(count, elements, std::ref(caught));
  thrown.rethrow();
}

bool are_side_by_side(int64_t count, int64_t elements, const Executor& executor, int64_t piece) {
  if (count == 1) return false;
  const int64_t threads = std::max(1, executor.concurrency());
  const int64_t rounds = (count + threads - 1) / threads;
  const int64_t sharing = std::clamp<int64_t>(elements / piece, 1, threads);
  return rounds * elements <= count * (elements / sharing + kParallelElements);
}

int64_t neighbours_in_a_task(int64_t count, int64_t elements, int64_t most,
                             const Executor& executor) {
  const int64_t threads =
      std::min<int64_t>(executor.concurrency(), count * elements / kParallelElements);
  return std::clamp<int64_t>(count / std::max<int64_t>(1, threads), 1, most);
}

}  // namespace tailops
