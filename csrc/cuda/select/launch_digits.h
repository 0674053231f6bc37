#pragma once

// Carries out a DigitsPlan. Included where the kernels are compiled: by nvcc, or by a test's
// emulation.

#include <algorithm>

#include "cuda/select/digits.h"

namespace tailops {
namespace cuda {

template <typename Task>
void launch_digits(const Task& task, const DigitsPlan& plan, void* workspace, void* stream) {
  using Bits = OrderedBits<typename Task::Elements::Element>;
  const DigitsWorkspace<Task> space{plan.control.in<DigitsControl<Task>>(workspace),
                                    plan.all_counts.in<uint64_t>(workspace), plan.counts};
  for (int64_t group = 0; group < task.groups(); group += plan.at_once) {
    const int64_t rows = std::min(plan.at_once, task.groups() - group);
    const auto of_groups = [&](device::Grid grid) {
      grid.rows = rows;
      return grid;
    };
    device::launch(ClearDigits<Task>{space}, of_groups(plan.clear), stream);
    CountDigits<Task> count{task, space, group, {Bits::kBits, plan.digit_bits}};
    for (; count.pass.bits > 0; count.pass.bits -= plan.digit_bits) {
      device::launch(count, of_groups(plan.count), stream);
    }
  }
}

}  // namespace cuda
}  // namespace tailops
