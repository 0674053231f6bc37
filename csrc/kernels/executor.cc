#include "executor.h"

#include "subnormals.h"

namespace tailops {

void parallel_for(Executor& executor, int64_t count, int64_t elements, const Executor::Body& body) {
  const auto guarded = [&body](int64_t begin, int64_t end) {
    const KeepSubnormals guard;
    body(begin, end);
  };
  if (count <= 1 || executor.concurrency() <= 1 || count * elements < kParallelElements) {
    guarded(0, count);
  } else {
    executor.run(count, elements, guarded);
  }
}

}  // namespace tailops
