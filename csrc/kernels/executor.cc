#include "executor.h"

#include <atomic>
#include <exception>
#include <functional>
#include <utility>

#include "subnormals.h"

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

}  // namespace tailops
