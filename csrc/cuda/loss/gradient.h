#pragma once

// The backward pass: the gradient of every element, in one launch; and before it, where each row
// has an upstream gradient of its own and the threshold is differentiated, Σ upstream·∂L/∂t.

#include "cuda/device/team.h"
#include "cuda/device/vectors.h"
#include "cuda/loss/rows.h"

namespace tailops {
namespace cuda {

template <typename T, typename Outputs>
struct GroupGradient {
  static constexpr bool kOne = Outputs::kOne;
  using C = ComputeType<T>;

  Call<T> call;
  const T* upstream;
  const GroupState* state;
  T* gradient;
  int64_t rows_of_upstream;     // that share one upstream gradient
  const C* row_factors;         // or none: all have the call's
  const double* scalar_factor;  // or none: the only group tells

  // That of the one output, which is every element's.
  TAILOPS_DEVICE double upstream_of_all() const {
    const double factor =
        scalar_factor != nullptr ? *scalar_factor : call.mean_factor_of(state[0].valid);
    return static_cast<double>(widen(upstream[0])) * factor;
  }

  TAILOPS_DEVICE double upstream_of(int64_t row) const {
    const int64_t at = rows_of_upstream == 1 ? row : row / rows_of_upstream;
    const double factor =
        row_factors == nullptr ? call.mean_factor : static_cast<double>(row_factors[row]);
    return static_cast<double>(widen(upstream[at])) * factor;
  }

  // The upstream gradient of each element of a batch: `all`, where there is one output. Of several,
  // neighbours mostly share one.
  template <typename B>
  TAILOPS_DEVICE void arriving(const B& batch, int64_t first, C all, C (&out)[B::kSize]) const {
    TAILOPS_UNROLL
    for (int j = 0; j < B::kSize; ++j) out[j] = all;
    if constexpr (kOne) return;
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
      out[j] = static_cast<C>(upstream_of(row));
    }
  }

  // Of the one output: ∂L/∂t of a group, where anybody asks for it.
  TAILOPS_DEVICE auto slope_of_one(int64_t g) const {
    return threshold_gradient_of(state[g], upstream_of_all());
  }

  // This thread's share of Σ upstream·∂L/∂t over a group, where there are several outputs.
  template <int kVectors = 2>
  TAILOPS_DEVICE ThresholdGradient slopes(int64_t g, int64_t worker, int64_t workers) const {
    using B = Batch<Elements<T>, kVectors>;
    const Tail<C> tail = tail_of(state[g], call.parameters);
    const int64_t first = call.first_of(g);
    ThresholdGradient sum{};
    const Vectors<Elements<T>, kVectors> vectors(call.group(g));
    vectors.for_each(worker, workers, [&](const B& batch) {
      C errors[B::kSize];
      errors_of(call.error_kind, call.epsilon, batch.values, errors);
      unsigned near = 0;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) near |= is_near(errors[j], tail) ? 1u << j : 0u;
      for (near &= batch.valid; near != 0; near &= near - 1) {
        const int j = device::first_bit(near);
        const double upstream_of_it =
            upstream_of(call.row_of(first + batch.number(j) * call.inner));
        add_threshold_gradient(pick(errors, j), upstream_of_it, tail, call.parameters, sum);
      }
    });
    return sum;
  }

  // This thread's share of a group's gradient; `slope` is ∂L/∂t. What is near the threshold comes
  // one by one: mostly there is nothing, and its text is long.
  template <int kVectors = 2, typename Slope>
  TAILOPS_DEVICE void write(int64_t g, const Slope& slope, int64_t worker, int64_t workers) const {
    using B = Batch<Elements<T>, kVectors>;
    const GroupState own = state[g];
    const LossParameters<C>& w = call.parameters;
    const Tail<C> tail = tail_of(own, w);
    const double all = kOne ? upstream_of_all() : 0.0;
    const TiedByError<C, kOne> tied(ties_of(own, slope, w), all);
    const int64_t first = call.first_of(g);
    const C rounded = static_cast<C>(all);
    const Vectors<Elements<T>, kVectors> vectors(call.group(g));
    vectors.for_each(worker, workers, [&](const B& batch) {
      C arrives[B::kSize], by_error[B::kSize];
      arriving(batch, first, rounded, arrives);
      unsigned near = 0;
      with_error(call.error_kind, [&](auto error) {
        TAILOPS_UNROLL
        for (int j = 0; j < B::kSize; ++j) {
          const C e = decltype(error)::value(batch.values[j], w.epsilon);
          near |= is_near(e, tail) ? 1u << j : 0u;
          by_error[j] = formulas_of(w).far_by_error(arrives[j], e > tail.band_high);
        }
      });
      for (near &= batch.valid; near != 0; near &= near - 1) {
        const int j = device::first_bit(near);
        const double exact =
            kOne ? all : upstream_of(call.row_of(first + batch.number(j) * call.inner));
        const C e = error_of(call.error_kind, w.epsilon, pick(batch.values, j));
        put(by_error, j, near_by_error(e, static_cast<C>(exact), exact, tail, tied, w));
      }
      T values[B::kSize];
      with_error(call.error_kind, [&](auto error) {
        const auto formulas = formulas_of<decltype(error)>(w);
        TAILOPS_UNROLL
        for (int j = 0; j < B::kSize; ++j) {
          const C value = formulas.residual_derivative(batch.values[j], by_error[j], arrives[j]);
          values[j] = narrow<T>(batch.valid >> j & 1u ? static_cast<double>(value) : 0.0);
        }
      });
      vectors.store(batch, values, gradient + first);
    });
  }

 private:
  // values[j], for a j that only the data tells, of values in registers.
  template <int kSize>
  static TAILOPS_DEVICE C pick(const C (&values)[kSize], int j) {
    C picked = values[0];
    TAILOPS_UNROLL
    for (int i = 1; i < kSize; ++i) picked = i == j ? values[i] : picked;
    return picked;
  }
  template <int kSize>
  static TAILOPS_DEVICE void put(C (&values)[kSize], int j, C value) {
    TAILOPS_UNROLL
    for (int i = 0; i < kSize; ++i) values[i] = i == j ? value : values[i];
  }
};

// A team per group.
template <typename T, typename Team, typename Outputs>
struct GroupBackward {
  using Pass = GroupGradient<T, Outputs>;
  static constexpr int kMostThreads = Team::kMostThreads;
  // As many as do not spill.
  static constexpr bool kIsLean = Pass::kOne && sizeof(T) == 4;
  static constexpr int kLeastBlocks = Team::kIsBlock ? (kIsLean ? 2 : 1) : (kIsLean ? 7 : 4);
  struct Shared {
    typename Team::template Room<ThresholdGradient> slopes[Team::kMostTeams];
  };

  Pass pass;
  int64_t groups;
  int width;  // of a team, where the launch says

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const Team team(width);
    for_each_group(team, groups, [&](int64_t g) {
      const auto slope = slope_of(team, g, shared);
      pass.template write<Team::kVectors>(g, slope, team.thread(), team.threads());
    });
  }

 private:
  TAILOPS_DEVICE auto slope_of(const Team& team, int64_t g, Shared& shared) const {
    if constexpr (Pass::kOne) {
      return pass.slope_of_one(g);
    } else {
      if (pass.call.parameters.mode != GradientMode::kExact) return ThresholdGradient{};
      const auto own = pass.template slopes<Team::kVectors>(g, team.thread(), team.threads());
      return team.reduce(own, shared.slopes[team.number()], Add());
    }
  }
};

// Many blocks per group: first, where it is needed, a sum for each block.
template <typename T>
struct GridSlopes {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {
    ThresholdGradient warps[kMostWarps];
  };

  GroupGradient<T, ManyOutputs> pass;
  ThresholdGradient* sums;  // [groups][blocks]

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::row_of_blocks();
    const int64_t worker = device::block() * device::threads() + device::thread();
    const ThresholdGradient sum = block_reduce(
        pass.slopes(g, worker, device::blocks() * device::threads()), shared.warps, Add());
    if (device::thread() == 0) sums[g * device::blocks() + device::block()] = sum;
  }
};

template <typename T, typename Outputs>
struct GridBackward {
  using Pass = GroupGradient<T, Outputs>;
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = Pass::kOne && sizeof(T) == 4 ? 4 : 2;
  struct Shared {
    ThresholdGradient warps[kMostWarps];
  };

  Pass pass;
  const ThresholdGradient* sums;  // [groups][parts], or none
  int64_t parts;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t g = device::row_of_blocks();
    const int64_t worker = device::block() * device::threads() + device::thread();
    pass.write(g, slope_of(g, shared), worker, device::blocks() * device::threads());
  }

 private:
  TAILOPS_DEVICE auto slope_of(int64_t g, Shared& shared) const {
    if constexpr (Pass::kOne) {
      return pass.slope_of_one(g);
    } else {
      if (sums == nullptr) return ThresholdGradient{};
      const ThresholdGradient* const own = sums + g * parts;
      ThresholdGradient slope{};
      for (int64_t p = device::thread(); p < parts; p += device::threads()) slope += own[p];
      return block_reduce(slope, shared.warps, Add());
    }
  }
};

}  // namespace cuda
}  // namespace tailops
