#pragma once

// The backward pass: the gradient of every element, in one launch; and before it, where each row
// has an upstream gradient of its own and the threshold is differentiated, Σ upstream·∂L/∂t.

#include "rows.h"
#include "team.h"
#include "vectors.h"

namespace tailops {
namespace cuda {

template <typename T>
struct GroupGradient {
  using C = ComputeType<T>;
  using B = Batch<Elements<T>>;

  Call<T> call;
  const T* upstream;
  const GroupState* state;
  T* gradient;
  int64_t rows_of_upstream;    // that share one upstream gradient
  const C* row_scales;         // or none: all have the call's
  const double* scalar_scale;  // or none: the only group tells

  TAILOPS_DEVICE double upstream_of(int64_t row) const {
    const int64_t at = rows_of_upstream == 1 ? row : row / rows_of_upstream;
    const double scale =
        row_scales == nullptr ? call.row_scale : static_cast<double>(row_scales[row]);
    return static_cast<double>(widen(upstream[at])) * scale;
  }

  // Of the one output.
  TAILOPS_DEVICE double upstream_of_all() const {
    const double scale = scalar_scale != nullptr ? *scalar_scale : call.scale_of(state[0].valid);
    return static_cast<double>(widen(upstream[0])) * scale;
  }

  // The upstream gradient of each element of a batch; neighbours mostly share a row.
  // `all` is that of the one output, or 0.
  TAILOPS_DEVICE void arriving(const B& batch, int64_t first, double all,
                               double (&exact)[B::kSize]) const {
    TAILOPS_UNROLL
    for (int j = 0; j < B::kSize; ++j) exact[j] = all;
    if (call.to_scalar) return;
    int64_t row = -1, rest = 0;
    TAILOPS_UNROLL
    for (int j = 0; j < B::kSize; ++j) {
      if (!(batch.inside >> j & 1u)) continue;
      const int64_t flat = first + (batch.first[j / B::kLanes] + j % B::kLanes) * call.inner;
      const bool follows = row >= 0 && j % B::kLanes != 0 && call.inner == 1;
      if (!follows) {
        row = call.row_of(flat);
        rest = flat - row * call.row_length;
      } else if (++rest == call.row_length) {
        ++row;
        rest = 0;
      }
      exact[j] = upstream_of(row);
    }
  }

  // This thread's share of Σ upstream·∂L/∂t over a group, where there are several outputs.
  TAILOPS_DEVICE double slopes(int64_t g, int64_t worker, int64_t workers) const {
    const Tail<C> tail = tail_of(state[g], call.weights);
    const int64_t first = call.first_of(g);
    double sum = 0.0;
    Vectors(call.group(g)).for_each(worker, workers, [&](const B& batch) {
      C errors[B::kSize];
      errors_of(call.error_kind, call.weights.epsilon, batch.values, errors);
      bool any_near = false;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        any_near |= (batch.valid >> j & 1u) && is_near(errors[j], tail);
      }
      if (!any_near) return;
      double exact[B::kSize];
      arriving(batch, first, 0.0, exact);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (!(batch.valid >> j & 1u) || !is_near(errors[j], tail)) continue;
        sum += exact[j] * static_cast<double>(threshold_slope(errors[j], tail, call.weights));
      }
    });
    return sum;
  }

  // This thread's share of a group's gradient; `slope` is ∂L/∂t.
  TAILOPS_DEVICE void write(int64_t g, double slope, int64_t worker, int64_t workers) const {
    const GroupState own = state[g];
    const Tail<C> tail = tail_of(own, call.weights);
    const Ties ties = ties_of(own, slope, tail, call.weights);
    const int64_t first = call.first_of(g);
    const double all = call.to_scalar ? upstream_of_all() : 0.0;
    const Vectors vectors(call.group(g));
    vectors.for_each(worker, workers, [&](const B& batch) {
      double exact[B::kSize];
      arriving(batch, first, all, exact);
      T values[B::kSize];
      with_error(call.error_kind, [&](auto error) {
        using Error = decltype(error);
        const C epsilon = call.weights.epsilon;
        const TailFormulas<Error, C> formulas{call.weights.kappa, call.weights.scale,
                                              call.weights.beta, epsilon};
        TAILOPS_UNROLL
        for (int j = 0; j < B::kSize; ++j) {
          const C d = batch.values[j];
          const C g_here = static_cast<C>(exact[j]);
          const C by_error =
              gradient_by_error(formulas.error(d), g_here, exact[j], tail, ties, call.weights);
          const C value = formulas.residual_derivative(d, by_error, g_here);
          values[j] = narrow<T>(batch.valid >> j & 1u ? static_cast<double>(value) : 0.0);
        }
      });
      vectors.store(batch, values, gradient + first);
    });
  }
};

// A team per group.
template <typename T, typename Team>
struct GroupBackward {
  static constexpr int kMostThreads = Team::kMostThreads;
  static constexpr int kLeastBlocks = 1;
  struct Shared {
    typename Team::template Room<double> slopes[Team::kMostTeams];
  };

  GroupGradient<T> pass;
  int64_t groups;
  int width;  // of a team, where the launch says

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const Team team(width);
    for_each_group(team, groups, [&](int64_t g) {
      double slope = 0.0;
      if (pass.call.weights.mode == GradientMode::kExact) {
        slope = pass.call.to_scalar ? static_cast<double>(widen(pass.upstream[0])) *
                                          pass.state[g].threshold_gradient
                                    : team.reduce(pass.slopes(g, team.thread(), team.threads()),
                                                  shared.slopes[team.number()], Add());
      }
      pass.write(g, slope, team.thread(), team.threads());
    });
  }
};

// Many blocks per group: first, where it is needed, a sum for each block.
template <typename T>
struct GridSlopes {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    double warps[kMostWarps];
  };

  GroupGradient<T> pass;
  double* sums;  // [groups][blocks]

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::row_of_blocks();
    const int64_t worker = device::block() * device::threads() + device::thread();
    const double sum = block_reduce(pass.slopes(g, worker, device::blocks() * device::threads()),
                                    shared.warps, Add());
    if (device::thread() == 0) sums[g * device::blocks() + device::block()] = sum;
  }
};

template <typename T>
struct GridBackward {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    double warps[kMostWarps];
  };

  GroupGradient<T> pass;
  const double* sums;  // or none

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::row_of_blocks();
    double slope = 0.0;
    if (sums != nullptr) {
      const double* const own = sums + g * device::blocks();
      for (int64_t b = device::thread(); b < device::blocks(); b += device::threads()) {
        slope += own[b];
      }
      slope = block_reduce(slope, shared.warps, Add());
    } else if (pass.call.weights.mode == GradientMode::kExact) {
      slope = static_cast<double>(widen(pass.upstream[0])) * pass.state[g].threshold_gradient;
    }
    const int64_t worker = device::block() * device::threads() + device::thread();
    pass.write(g, slope, worker, device::blocks() * device::threads());
  }
};

}  // namespace cuda
}  // namespace tailops
