#pragma once

// Columns in the order of memory: the backward pass, and the losses where each element has one.

#include "cuda/device/in_column.h"
#include "cuda/loss/gradient.h"
#include "cuda/loss/rows.h"

namespace tailops {
namespace cuda {

// Σ upstream·∂L/∂t of the parts of each column.
template <typename T>
struct ColumnSlopes {
  using C = ComputeType<T>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = sizeof(C) == sizeof(float) ? 3 : 2;
  struct Shared {
    ThresholdGradient sums[kMostThreads];
  };

  GroupGradient<T, ManyOutputs> pass;
  ColumnPlan plan;
  ThresholdGradient* sums;  // [parts][groups]

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const InColumn at(plan);
    if (at.exists) shared.sums[device::thread()] = sum(at);
    device::barrier();
    if (!at.exists || at.slot != 0) return;
    ThresholdGradient total{};
    for (int64_t slot = 0; slot < plan.slots_per_column; ++slot) {
      total += shared.sums[device::thread() + slot * plan.width];
    }
    sums[at.part * pass.call.groups() + at.group] = total;
  }

 private:
  TAILOPS_DEVICE ThresholdGradient sum(const InColumn& at) const {
    const Call<T>& call = pass.call;
    const Tail<C> tail = tail_of(pass.state[at.group], call.parameters);
    const int64_t first = call.first_of(at.group);
    ThresholdGradient total{};
    at.for_each(plan, call.group(at.group), [&](int64_t k, C d, bool valid) {
      const C e = error_of(call.error_kind, call.epsilon, d);
      if (!valid || !is_near(e, tail)) return;
      add_threshold_gradient(e, pass.upstream_of(call.row_of(first + k * call.inner)), tail,
                             call.parameters, total);
    });
    return total;
  }
};

template <typename T, typename Outputs>
struct ColumnBackward {
  using C = ComputeType<T>;
  using Pass = GroupGradient<T, Outputs>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = sizeof(C) == sizeof(float) ? 3 : 2;
  struct Shared {};

  Pass pass;
  ColumnPlan plan;
  const ThresholdGradient* sums;  // [parts][groups], or none
  int64_t parts;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const InColumn at(plan);
    if (!at.exists) return;
    const Call<T>& call = pass.call;
    const GroupState own = pass.state[at.group];
    const Tail<C> tail = tail_of(own, call.parameters);
    const double all = Pass::kOne ? pass.upstream_of_all() : 0.0;
    const TiedByError<C, Pass::kOne> tied(ties_of(own, slope(at.group), call.parameters), all);
    const int64_t first = call.first_of(at.group);
    with_error(call.error_kind, [&](auto error) {
      const auto formulas = formulas_of<decltype(error)>(call.parameters);
      at.for_each(plan, call.group(at.group), [&](int64_t k, C d, bool valid) {
        const int64_t flat = first + k * call.inner;
        const double exact = Pass::kOne ? all : pass.upstream_of(call.row_of(flat));
        const C here = static_cast<C>(exact), e = formulas.error(d);
        const C by_error = is_near(e, tail)
                               ? near_by_error(e, here, exact, tail, tied, call.parameters)
                               : formulas.far_by_error(here, e > tail.band_high);
        const C value = formulas.residual_derivative(d, by_error, here);
        pass.gradient[flat] = narrow<T>(valid ? static_cast<double>(value) : 0.0);
      });
    });
  }

 private:
  TAILOPS_DEVICE auto slope(int64_t group) const {
    if constexpr (Pass::kOne) {
      return pass.slope_of_one(group);
    } else {
      if (sums == nullptr) return ThresholdGradient{};
      ThresholdGradient total{};
      for (int64_t p = 0; p < parts; ++p) total += sums[p * pass.call.groups() + group];
      return total;
    }
  }
};

// The loss of every element.
template <typename T>
struct ColumnLosses {
  using C = ComputeType<T>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {};

  Call<T> call;
  ColumnPlan plan;
  const GroupState* state;
  T* loss;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const InColumn at(plan);
    if (!at.exists) return;
    const Tail<C> tail = tail_of(state[at.group], call.parameters);
    const int64_t first = call.first_of(at.group);
    at.for_each(plan, call.group(at.group), [&](int64_t k, C d, bool valid) {
      RowSum sum{0.0, 0};
      if (valid) add_loss_of(call, d, tail, sum);
      write_loss(call, first + k * call.inner, sum, loss);
    });
  }
};

}  // namespace cuda
}  // namespace tailops
