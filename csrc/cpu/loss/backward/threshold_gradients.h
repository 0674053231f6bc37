#pragma once

// ∂L/∂t of each group, where every element has an upstream gradient of its own.

#include <vector>

#include "cpu/loss/column_sums.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/problem.h"
#include "cpu/pass/tail_columns.h"
#include "formulas/tie.h"

namespace tailops {

// Upstreams have of(begin, end, spread), of the elements of that range, and of_strided(first, n,
// spread), of n that are geometry.inner apart; `spread` is for their use.
template <typename T, typename Upstreams>
ThresholdGradient threshold_gradient(const Problem<T>& problem, const GroupState& state, int64_t g,
                                     const Group<T>& group, const Upstreams& upstreams,
                                     Executor& executor) {
  const Tail<ComputeType<T>> tail = tail_of(state, problem.parameters);
  const int64_t origin = problem.geometry.first_of(g), stride = problem.geometry.inner;
  const auto sum_of = [&](int64_t begin, int64_t end) {
    ThresholdGradient sum{};
    std::vector<T> spread;
    group.for_each_piece(begin, end, [&](const Piece<T>& piece, int64_t first) {
      const int64_t flat = origin + first * stride;
      const Upstream<T> upstream = stride == 1 ? upstreams.of(flat, flat + piece.length, spread)
                                               : upstreams.of_strided(flat, piece.length, spread);
      sum += problem.loops.threshold_gradient(piece.y_true, piece.y_pred, piece.length,
                                              problem.parameters, tail, upstream);
    });
    return sum;
  };
  return block_sum<ThresholdGradient>(group.length, sum_of, executor);
}

// set(g, gradient) for every group.
template <typename T, typename Upstreams, typename Set>
void for_each_threshold_gradient(const Problem<T>& problem, const GroupState* state,
                                 const Upstreams& upstreams, Executor& executor, const Set& set) {
  if (problem.geometry.inner == 1 || problem.ignoring.any) {
    return for_each_group(
        problem, executor, [&](int64_t g, const Group<T>& group, Executor& inside, auto&) {
          set(g, threshold_gradient(problem, state[g], g, group, upstreams, inside));
        });
  }
  for_each_columns(
      problem, executor, [&](int64_t first, const Columns<T>& columns, Executor& inside) {
        const int64_t origin = problem.geometry.first_of(first);
        const TailColumns<ComputeType<T>> tails = columns_of(
            state + first, 1, columns.width, RowPasses(columns).repeat, problem.parameters);
        const std::vector<ThresholdGradient> gradients = column_threshold_gradients(
            columns, tails, problem.loops, problem.parameters, inside,
            [&](int64_t flat, int64_t n, std::vector<T>& spread) {
              return upstreams.of(origin + flat, origin + flat + n, spread);
            });
        for (int64_t c = 0; c < columns.width; ++c) {
          set(first + c, gradients[static_cast<size_t>(c)]);
        }
      });
}

}  // namespace tailops
