#pragma once

// How kernels run in parallel without knowing whose threads they run on. A caller adapts its own
// pool; the kernels never start a thread. Results do not depend on the executor: work is cut into
// pieces of fixed size, and partial sums are added in the order of the pieces.

#include <cstdint>
#include <functional>

namespace tailops {

class Executor {
 public:
  using Body = std::function<void(int64_t begin, int64_t end)>;

  virtual ~Executor() = default;

  virtual int concurrency() const = 0;

  // Calls body, which never throws, on disjoint ranges that cover [0, count) and returns when all
  // are done; throws, if it must, when none is running any more. `elements` is how many tensor
  // elements one index stands for. For parallel_for alone: kernels call that.
  virtual void run(int64_t count, int64_t elements, const Body& body) = 0;
};

class SerialExecutor final : public Executor {
 public:
  int concurrency() const override { return 1; }
  void run(int64_t count, int64_t /*elements*/, const Body& body) override { body(0, count); }
};

// Less work than this is not worth waking a second thread.
constexpr int64_t kParallelElements = 32768;

// Runs body over [0, count) on the executor where it pays, and with the caller's rounding of
// subnormal numbers set aside: frameworks flush them to zero on some threads and not on others.
// What body throws, on whatever thread, is thrown here once all is done: in a pool's own thread it
// would end the process. Of several, the first.
void parallel_for(Executor& executor, int64_t count, int64_t elements, const Executor::Body& body);

// Whether `count` tasks of so many elements are better off side by side, each a thread's, than one
// after the other, each shared by all threads: in pieces of at least `piece` elements, and at the
// price of forks that take as long as kParallelElements do. A task that is alone is shared.
bool are_side_by_side(int64_t count, int64_t elements, const Executor& executor,
                      int64_t piece = kParallelElements);

// body(begin, end, inside) for tasks [0, count), one way or the other: `inside` is the executor
// that each of them is shared by.
template <typename Body>
void run_tasks(Executor& executor, int64_t count, int64_t elements, const Body& body,
               int64_t piece = kParallelElements) {
  if (!are_side_by_side(count, elements, executor, piece)) {
    return body(int64_t{0}, count, executor);
  }
  parallel_for(executor, count, elements, [&body](int64_t begin, int64_t end) {
    SerialExecutor alone;
    body(begin, end, alone);
  });
}

// How many neighbours of `count`, of so many elements each, are one task: as many as `most`, if
// that leaves some for every thread that there is work for.
int64_t neighbours_in_a_task(int64_t count, int64_t elements, int64_t most,
                             const Executor& executor);

}  // namespace tailops
