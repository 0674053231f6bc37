#pragma once

// Carries out the plan of a selection. Included where the kernels are compiled: by nvcc, or by a
// test's emulation.

#include <algorithm>

#include "cuda/quantile/digits.h"
#include "cuda/quantile/forward_plan.h"
#include "cuda/quantile/in_block.h"
#include "cuda/quantile/quantile.h"

namespace tailops {
namespace cuda {

template <typename T>
SelectKernels select_kernels() {
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;
  SelectKernels of;
  of.element_bytes = sizeof(T);
  of.key_bytes = sizeof(Key);
  of.key_bits = Bits::kBits;
  of.blocks_shared = sizeof(typename SelectInGroups<T>::Shared);
  of.control_bytes = sizeof(DigitsControl<Key>);
  of.few_q = RankArguments::kFew;
  of.q_of_a_launch = StoreRanks::kMostThreads;
  return of;
}

template <typename T>
SelectPlan plan_select(const SelectionGeometry& geometry, const SelectionOptions& options,
                       const Quantiles& q, const Limits& limits) {
  require_method_of<T>(options);
  return plan_select(geometry, options, q.count, q.on_host != nullptr, select_kernels<T>(), limits);
}

template <typename T>
class Select {
 public:
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;

  Select(const SelectPlan& plan, const SelectionGeometry& geometry, const SelectionOptions& options,
         const Quantiles& q, void* workspace, void* stream)
      : plan_(plan),
        groups_(geometry),
        options_(options),
        q_(q),
        workspace_(workspace),
        stream_(stream) {}

  void run(const T* x, T* value, SelectionState* state) const {
    if (plan_.way == SelectWay::kNothing) return;
    SelectionCall<T> call{};
    static_cast<Groups&>(call) = groups_;
    call.x = x;
    call.method = options_.method;
    call.ignore_nan = options_.ignore_nan;
    call.q = arguments();
    call.q_count = q_.count;
    call.value = value;
    call.state = state;
    if (plan_.way == SelectWay::kDigits) return run_digits(call);
    device::launch(SelectInGroups<T>{call, plan_.cached, plan_.columns}, plan_.groups, stream_);
  }

 private:
  RankArguments arguments() const {
    RankArguments all{q_.on_device, {}};
    if (q_.on_host == nullptr) return all;
    if (plan_.stored.exists()) {
      all.on_device = store();
    } else {
      std::copy_n(q_.on_host, q_.count, all.few);
    }
    return all;
  }

  const double* store() const {
    double* const stored = plan_.stored.in<double>(workspace_);
    for (int64_t first = 0; first < q_.count; first += StoreRanks::kMostThreads) {
      StoreRanks some{};
      some.count = static_cast<int>(std::min<int64_t>(q_.count - first, StoreRanks::kMostThreads));
      some.to = stored + first;
      std::copy_n(q_.on_host + first, some.count, some.q);
      device::launch(some, plan_.store, stream_);
    }
    return stored;
  }

  void run_digits(const SelectionCall<T>& call) const {
    const DigitsPlan& plan = plan_.digits;
    const DigitsWorkspace<Key> workspace{plan.control.in<DigitsControl<Key>>(workspace_),
                                         plan.all_counts.in<uint64_t>(workspace_), plan.counts};
    for (int64_t group = 0; group < call.groups(); group += plan.at_once) {
      const int64_t groups = std::min(plan.at_once, call.groups() - group);
      const auto of_groups = [&](device::Grid grid) {
        grid.rows = groups;
        return grid;
      };
      for (int64_t q = 0; q < call.q_count; q += plan.q_at_once) {
        device::launch(ClearDigits<Key>{workspace}, of_groups(plan.clear), stream_);
        CountDigits<T> count{};
        count.call = call;
        count.workspace = workspace;
        count.first_group = group;
        count.first_q = q;
        count.q_at_once = static_cast<int>(std::min<int64_t>(plan.q_at_once, call.q_count - q));
        count.targets_of_q = plan.targets_of_q;
        count.digit_bits = plan.digit_bits;
        for (count.bits = Bits::kBits; count.bits > 0; count.bits -= plan.digit_bits) {
          device::launch(count, of_groups(plan.count), stream_);
        }
      }
    }
  }

  const SelectPlan& plan_;  // outlives this
  const Groups groups_;
  const SelectionOptions options_;
  const Quantiles q_;
  void* const workspace_;
  void* const stream_;
};

}  // namespace cuda
}  // namespace tailops
