#pragma once

// Carries out the plan of a range mean. Included where the kernels are compiled: by nvcc, or by a
// test's emulation.

#include "cuda/range_mean/digits.h"
#include "cuda/range_mean/forward_plan.h"
#include "cuda/range_mean/in_groups.h"
#include "cuda/range_mean/range_mean.h"
#include "cuda/select/launch.h"

namespace tailops {
namespace cuda {

template <typename T>
RangeKernels range_kernels(bool has_weights) {
  using InGroups = RangeInGroups<T>;
  const TaskKernels of_task = has_weights ? task_kernels<InGroups, RangeDigits<T, ByWeight>>()
                                          : task_kernels<InGroups, RangeDigits<T, Once>>();
  return {of_task, sizeof(RangeSum), RangeDigits<T, Once>::kTargets};
}

template <typename T>
class RangeForward {
 public:
  RangeForward(const RangePlan& plan, const SelectionGeometry& geometry, RangeKind kind,
               const Bounds& bounds, const Weights& weights, void* workspace, void* stream)
      : plan_(plan),
        groups_(geometry),
        kind_(kind),
        bounds_(argument_of(bounds)),
        weights_(weights),
        workspace_(workspace),
        stream_(stream) {}

  void run(const T* values, const bool* mask, T* mean, RangeState* state) const {
    const RangeCall<T> call{groups_, values, mask, kind_, bounds_, mean, state};
    if (plan_.way == SelectWay::kBlocks) {
      launch_in_groups(RangeInGroups<T>{call}, plan_.groups, stream_);
    } else if (plan_.way == SelectWay::kDigits && !weights_.exist()) {
      run_digits(call, Once{});
    } else if (plan_.way == SelectWay::kDigits) {
      run_digits(call, ByWeight{weights_});
    }
  }

 private:
  template <typename Counting>
  void run_digits(const RangeCall<T>& call, const Counting& counting) const {
    RangeSum* const sums = plan_.sums.in<RangeSum>(workspace_);
    launch_digits(RangeDigits<T, Counting>{call, counting, sums}, plan_.digits, workspace_,
                  stream_);
  }

  const RangePlan& plan_;  // outlives this
  const Groups groups_;
  const RangeKind kind_;
  const BoundsArgument bounds_;
  const Weights weights_;
  void* const workspace_;
  void* const stream_;
};

}  // namespace cuda
}  // namespace tailops
