#pragma once

// Carries out the plan of a selection. Included where the kernels are compiled: by nvcc, or by a
// test's emulation.

#include <algorithm>

#include "cuda/quantile/digits.h"
#include "cuda/quantile/forward_plan.h"
#include "cuda/quantile/in_groups.h"
#include "cuda/quantile/quantile.h"
#include "cuda/select/launch.h"

namespace tailops {
namespace cuda {

template <typename T>
SelectKernels select_kernels(bool has_weights) {
  using InGroups = SelectionInGroups<T>;
  const TaskKernels of_task = has_weights ? task_kernels<InGroups, SelectionDigits<T, ByWeight>>()
                                          : task_kernels<InGroups, SelectionDigits<T, Once>>();
  return {of_task, RankArguments::kFew, StoreRanks::kMostThreads};
}

template <typename T>
SelectPlan plan_select(const SelectionGeometry& geometry, const SelectionOptions& options,
                       const Quantiles& q, const Weights& weights, const Limits& limits) {
  require_method_of<T>(options);
  if (weights.exist()) require_method_of_weights(options);
  return plan_select(geometry, options, q.count, q.on_host != nullptr,
                     select_kernels<T>(weights.exist()), limits);
}

template <typename T>
class Select {
 public:
  Select(const SelectPlan& plan, const SelectionGeometry& geometry, const SelectionOptions& options,
         const Quantiles& q, const Weights& weights, void* workspace, void* stream)
      : plan_(plan),
        groups_(geometry),
        options_(options),
        q_(q),
        weights_(weights),
        workspace_(workspace),
        stream_(stream) {}

  void run(const T* x, T* value, SelectionState* state) const {
    if (plan_.way == SelectWay::kBlocks) {
      launch_in_groups(call<SelectionInGroups<T>>(x, value, state), plan_.groups, stream_);
    } else if (plan_.way == SelectWay::kDigits && !weights_.exist()) {
      run_digits(call<SelectionDigits<T, Once>>(x, value, state));
    } else if (plan_.way == SelectWay::kDigits) {
      auto task = call<SelectionDigits<T, ByWeight>>(x, value, state);
      task.weights = weights_;
      run_digits(task);
    }
  }

 private:
  template <typename Call>
  Call call(const T* x, T* value, SelectionState* state) const {
    Call call{};
    static_cast<Groups&>(call) = groups_;
    call.x = x;
    call.method = options_.method;
    call.ignore_nan = options_.ignore_nan;
    call.q = arguments();
    call.q_count = q_.count;
    call.value = value;
    call.state = state;
    return call;
  }

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

  template <typename Task>
  void run_digits(Task task) const {
    task.targets_of_q = plan_.targets_of_q;
    for (task.first_q = 0; task.first_q < q_.count; task.first_q += plan_.q_at_once) {
      const int64_t left = q_.count - task.first_q;
      task.q_at_once = static_cast<int>(std::min<int64_t>(plan_.q_at_once, left));
      launch_digits(task, plan_.digits, workspace_, stream_);
    }
  }

  const SelectPlan& plan_;  // outlives this
  const Groups groups_;
  const SelectionOptions options_;
  const Quantiles q_;
  const Weights weights_;
  void* const workspace_;
  void* const stream_;
};

}  // namespace cuda
}  // namespace tailops
