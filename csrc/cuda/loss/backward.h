#pragma once

// Carries out the plan of a backward pass. Included where the kernels are compiled: by nvcc, or by
// a test's emulation.

#include "cuda/loss/backward_plan.h"
#include "cuda/loss/columns.h"
#include "cuda/loss/dispatch.h"
#include "cuda/loss/gradient.h"
#include "cuda/loss/group_totals.h"

namespace tailops {
namespace cuda {

template <typename T>
BackwardPlan plan_backward(const Inputs<T>& inputs, const Geometry& geometry,
                           const Options& options, const Limits& limits) {
  return plan_backward(geometry, options, ignores(inputs, options), sizeof(T),
                       sizeof(ComputeType<T>), limits);
}

template <typename T>
class Backward {
 public:
  using C = ComputeType<T>;

  Backward(const BackwardPlan& plan, const Inputs<T>& inputs, const Geometry& geometry,
           const Options& options, void* workspace, void* stream)
      : plan_(plan),
        call_(inputs, plan.sums_samples ? by_sample(geometry) : geometry, options),
        rows_of_upstream_(call_.rows() / geometry.rows()),
        workspace_(workspace),
        stream_(stream) {}

  // `gradient` may be one of the inputs.
  void run(const T* upstream, const GroupState* state, T* gradient) const {
    find_mean_factors(state);
    with_outputs(plan_.to_scalar, [&](auto outputs) {
      using Pass = GroupGradient<T, decltype(outputs)>;
      run_pass(Pass{call_, upstream, state, gradient, rows_of_upstream_, row_factors(),
                    scalar_factor()});
    });
  }

 private:
  C* row_factors() const { return plan_.row_factors.in<C>(workspace_); }
  double* scalar_factor() const { return plan_.scalar_factor.in<double>(workspace_); }
  ThresholdGradient* slopes() const {
    static_assert(sizeof(ThresholdGradient) == BackwardPlan::kSlopeBytes);
    return plan_.slopes.in<ThresholdGradient>(workspace_);
  }

  // Before the inputs may be overwritten.
  void find_mean_factors(const GroupState* state) const {
    if (plan_.row_factors.exists()) {
      launch_rows(RowFactors<T>{call_, row_factors()}, plan_.rows, workspace_, stream_);
    } else if (plan_.find_scalar_factor.exists()) {
      device::launch(ScalarFactor<T>{state, call_.groups(), scalar_factor()},
                     plan_.find_scalar_factor, stream_);
    }
  }

  template <typename Outputs>
  void run_pass(const GroupGradient<T, Outputs>& pass) const {
    if (plan_.way == Way::kColumns) return run_columns(pass);
    if (plan_.way == Way::kGrid) return run_grid(pass);
    with_team(plan_.way, [&](auto team) {
      using Kernel = GroupBackward<T, typename decltype(team)::type, Outputs>;
      device::launch(Kernel{pass, call_.groups(), plan_.teams.width}, plan_.pass, stream_);
    });
  }

  template <typename Outputs>
  void run_columns(const GroupGradient<T, Outputs>& pass) const {
    if constexpr (!Outputs::kOne) {
      if (plan_.add_slopes.exists()) {
        device::launch(ColumnSlopes<T>{pass, plan_.columns, slopes()}, plan_.add_slopes, stream_);
      }
    }
    device::launch(ColumnBackward<T, Outputs>{pass, plan_.columns, slopes(), plan_.columns.parts},
                   plan_.pass, stream_);
  }

  template <typename Outputs>
  void run_grid(const GroupGradient<T, Outputs>& pass) const {
    if constexpr (!Outputs::kOne) {
      if (plan_.add_slopes.exists()) {
        device::launch(GridSlopes<T>{pass, slopes()}, plan_.add_slopes, stream_);
      }
    }
    device::launch(GridBackward<T, Outputs>{pass, slopes(), plan_.pass.blocks}, plan_.pass,
                   stream_);
  }

  const BackwardPlan& plan_;  // outlives this
  const Call<T> call_;
  const int64_t rows_of_upstream_;
  void* const workspace_;
  void* const stream_;
};

}  // namespace cuda
}  // namespace tailops
