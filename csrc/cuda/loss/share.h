#pragma once

// Carries out the passes over a share of a union, by the kernels that do those over a tensor.
// Included where the kernels are compiled: by nvcc, or by a test's emulation.

#include "cuda/device/per_group.h"
#include "cuda/loss/backward_plan.h"
#include "cuda/loss/columns.h"
#include "cuda/loss/dispatch.h"
#include "cuda/loss/given_state.h"
#include "cuda/loss/gradient.h"

namespace tailops {
namespace cuda {

// No teams: what the slopes are made of is not all in one place.
inline BackwardPlan plan_share(const Geometry& geometry, int64_t element_bytes,
                               const Limits& limits) {
  BackwardPlan plan;
  if (geometry.size() == 0) return plan;
  Layout space;
  plan_slopes(plan_shared_pass(geometry, element_bytes, limits, plan), plan, space);
  plan.workspace_bytes = space.bytes();
  return plan;
}

struct SlopesOfSum {
  TAILOPS_DEVICE UnionSlopes operator()(const ThresholdGradient& sum) const {
    return slopes_of(sum);
  }
};

// A thread for each group.
struct SlopesOfUnion {
  static constexpr int kMostThreads = 128;
  static constexpr int kLeastBlocks = 1;
  struct Shared {};

  int64_t groups;
  const UnionSlopes* slopes;
  ThresholdGradient* to;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const int64_t g = group_of_thread();
    if (g < groups) to[g] = threshold_gradient_of(slopes[g]);
  }
};

template <typename T>
class Share {
 public:
  Share(const Inputs<T>& inputs, const Geometry& geometry, const Options& options,
        const Limits& limits, void* workspace, void* stream)
      : call_(inputs, geometry, options),
        limits_(limits),
        plan_(plan_share(geometry, sizeof(T), limits)),
        workspace_(workspace),
        stream_(stream) {}

  void losses(const GroupState* state, T* loss) const {
    if (call_.size() == 0) return;
    if (plan_.way == Way::kColumns) {
      return device::launch(ColumnLosses<T>{call_, plan_.columns, state, loss}, plan_.pass,
                            stream_);
    }
    Layout none;
    const RowsPlan rows = plan_rows(call_.size(), 1, limits_, none);
    launch_rows(RowLosses<T>{call_, state, loss}, rows, nullptr, stream_);
  }

  void slopes(const T* upstream, const GroupState* state, UnionSlopes* slopes) const {
    const Pass pass = pass_of(upstream, state, nullptr);
    PartsOfGroups parts{0, 0, 0};
    if (plan_.way == Way::kColumns) {
      device::launch(ColumnSlopes<T>{pass, plan_.columns, sums()}, plan_.add_slopes, stream_);
      parts = {plan_.columns.parts, 1, call_.groups()};
    } else if (call_.size() != 0) {
      device::launch(GridSlopes<T>{pass, sums()}, plan_.add_slopes, stream_);
      parts = {plan_.pass.blocks, plan_.pass.blocks, 1};
    }
    add_parts_of_groups<SlopesOfSum>(parts, sums(), call_.groups(), slopes, stream_);
  }

  void gradient(const T* upstream, const GroupState* state, const UnionSlopes* slopes,
                T* gradient) const {
    if (call_.size() == 0) return;
    ThresholdGradient* const own = slopes == nullptr ? nullptr : sums();
    if (own != nullptr) {
      launch_each(SlopesOfUnion{call_.groups(), slopes, own}, call_.groups(), stream_);
    }
    const Pass pass = pass_of(upstream, state, gradient);
    if (plan_.way == Way::kColumns) {
      device::launch(ColumnBackward<T, ManyOutputs>{pass, plan_.columns, own, 1}, plan_.pass,
                     stream_);
    } else {
      device::launch(GridBackward<T, ManyOutputs>{pass, own, 1}, plan_.pass, stream_);
    }
  }

 private:
  using Pass = GroupGradient<T, ManyOutputs>;

  Pass pass_of(const T* upstream, const GroupState* state, T* gradient) const {
    return {call_, upstream, state, gradient, 1, nullptr, nullptr};
  }

  ThresholdGradient* sums() const { return plan_.slopes.in<ThresholdGradient>(workspace_); }

  const Call<T> call_;
  const Limits limits_;
  const BackwardPlan plan_;
  void* const workspace_;
  void* const stream_;
};

}  // namespace cuda
}  // namespace tailops
