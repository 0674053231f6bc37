#include "cpu/union/window.h"

#include <algorithm>
#include <vector>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/pass/problem.h"
#include "cpu/select/group_errors.h"

namespace tailops {
namespace {

// The last valid errors, at most so many: those that would be written over are not computed.
template <typename T>
std::vector<ComputeType<T>> last_errors(const LossShare<T>& batch, int64_t most) {
  using C = ComputeType<T>;
  const Problem<T> problem(batch.y_true, batch.y_pred, batch.mask, batch.geometry, batch.options);
  const Group<T> group = problem.group(0);
  const GroupErrors<T> of{group, problem.loops, problem.parameters};
  const int64_t room = std::min(most, of.length());
  std::vector<C> last(static_cast<size_t>(room));
  std::vector<C> block(static_cast<size_t>(std::min(kBlockLength, of.length()) + kSlack));
  int64_t free = room;
  for (int64_t end = of.length(); end > 0 && free > 0;) {
    const int64_t begin = std::max<int64_t>(0, end - kBlockLength);
    const int64_t valid = of.write(begin, end, block.data()), kept = std::min(valid, free);
    std::copy_n(block.data() + valid - kept, kept, last.data() + free - kept);
    free -= kept;
    end = begin;
  }
  last.erase(last.begin(), last.begin() + free);
  return last;
}

}  // namespace

template <typename T>
void remember(const LossShare<T>& batch, const Window<const ComputeType<T>>& before, bool frozen,
              const Window<ComputeType<T>>& after) {
  using C = ComputeType<T>;
  const KeepSubnormals guard;
  const ScratchScope scope;
  const int64_t size = before.size;
  const WindowPlace place = place_in_window(*before.written, size);
  if (after.errors != before.errors) std::copy_n(before.errors, size, after.errors);
  std::vector<C> last;
  if (batch.geometry.size() != 0 && !(frozen && place.filled != 0)) last = last_errors(batch, size);
  const auto count = static_cast<int64_t>(last.size());
  const int64_t until_end = std::min(count, size - place.next);
  std::copy_n(last.data(), until_end, after.errors + place.next);
  std::copy_n(last.data() + until_end, count - until_end, after.errors);
  *after.written = written_behind<C>(place, count, size);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                         \
  template void remember<T>(const LossShare<T>&, const Window<const ComputeType<T>>&, bool, \
                            const Window<ComputeType<T>>&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
