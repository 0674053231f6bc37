#pragma once

// Carries out the plan of a range mean. Included where the kernels are compiled: by nvcc, or by a
// test's emulation.

#include "cuda/range_mean/digits.h"
#include "cuda/range_mean/forward_plan.h"
#include "cuda/range_mean/in_groups.h"
#include "cuda/range_mean/range_mean.h"
#include "cuda/select/launch_digits.h"

namespace tailops {
namespace cuda {

template <typename T>
RangeKernels range_kernels() {
  using Bits = OrderedBits<T>;
  RangeKernels of;
  of.element_bytes = sizeof(T);
  of.key_bytes = sizeof(typename Bits::Key);
  of.key_bits = Bits::kBits;
  of.blocks_shared = sizeof(typename SelectInGroups<RangeInGroups<T>>::Shared);
  of.control_bytes = sizeof(DigitsControl<RangeDigits<T>>);
  of.sum_bytes = sizeof(RangeSum);
  of.targets = RangeDigits<T>::kTargets;
  return of;
}

template <typename T>
class RangeForward {
 public:
  RangeForward(const RangePlan& plan, const SelectionGeometry& geometry, RangeKind kind,
               const Bounds& bounds, void* workspace, void* stream)
      : plan_(plan),
        groups_(geometry),
        kind_(kind),
        bounds_{bounds.on_device, bounds.on_host == nullptr ? RangeBounds{} : *bounds.on_host},
        workspace_(workspace),
        stream_(stream) {}

  void run(const T* values, const bool* mask, T* mean, RangeState* state) const {
    const RangeCall<T> call{groups_, values, mask, kind_, bounds_, mean, state};
    if (plan_.way == RangeWay::kBlocks) {
      const GroupsPlan& plan = plan_.groups;
      device::launch(SelectInGroups<RangeInGroups<T>>{{call}, plan.cached, plan.columns}, plan.grid,
                     stream_);
    } else if (plan_.way == RangeWay::kDigits) {
      launch_digits(RangeDigits<T>{call, plan_.sums.in<RangeSum>(workspace_)}, plan_.digits,
                    workspace_, stream_);
    }
  }

 private:
  const RangePlan& plan_;  // outlives this
  const Groups groups_;
  const RangeKind kind_;
  const BoundsArgument bounds_;
  void* const workspace_;
  void* const stream_;
};

}  // namespace cuda
}  // namespace tailops
