#include "executor.h"

#include <algorithm>

#include "growing_buffer.h"
#include "subnormals.h"

namespace tailops {

void parallel_for(Executor& executor, int64_t count, int64_t elements, const Executor::Body& body) {
  const auto guarded = [&body](int64_t begin, int64_t end) {
    const KeepSubnormals guard;
    const ScratchScope scope;
    body(begin, end);
  };
  if (count <= 1 || executor.concurrency() <= 1 || count * elements < kParallelElements) {
    guarded(0, count);
  } else {
    executor.run(count, elements, guarded);
  }
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
