#pragma once

// Carries out the plan of a task. Included where the kernels are compiled: by nvcc, or by a test's
// emulation.

#include <algorithm>

#include "cuda/select/digits.h"
#include "cuda/select/in_groups.h"
#include "cuda/select/largest_weight.h"
#include "cuda/select/task_plan.h"

namespace tailops {
namespace cuda {

// Of a task in both its forms.
template <typename InGroups, typename InDigits>
TaskKernels task_kernels() {
  using Element = typename InGroups::Elements::Element;
  using Bits = OrderedBits<Element>;
  TaskKernels of;
  of.element_bytes = sizeof(Element);
  of.key_bytes = sizeof(typename Bits::Key);
  of.key_bits = Bits::kBits;
  of.blocks_shared = sizeof(typename SelectInGroups<InGroups>::Shared);
  of.control_bytes = sizeof(DigitsControl<InDigits>);
  of.count_bytes = sizeof(typename InDigits::Count);
  of.weighs = InDigits::kWeighs;
  return of;
}

template <typename Task>
void launch_in_groups(const Task& task, const GroupsPlan& plan, void* stream) {
  device::launch(SelectInGroups<Task>{task, plan.cached, plan.columns}, plan.grid, stream);
}

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
    if constexpr (Task::kWeighs) {
      device::launch(LargestWeight<Task>{task, space, group}, of_groups(plan.weigh), stream);
    }
    CountDigits<Task> count{task, space, group, {Bits::kBits, plan.digit_bits}};
    for (; count.pass.bits > 0; count.pass.bits -= plan.digit_bits) {
      device::launch(count, of_groups(plan.count), stream);
    }
  }
}

}  // namespace cuda
}  // namespace tailops
