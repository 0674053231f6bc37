#pragma once

// What the forward pass finds of each group, and where it goes: the same whatever finds it.

#include <vector>

#include "call/sample_plan.h"
#include "cpu/loss/column_sums.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/problem.h"
#include "cpu/pass/tail_columns.h"
#include "cpu/select/order_statistics.h"
#include "formulas/band.h"
#include "formulas/state.h"
#include "formulas/tail_loss.h"

namespace tailops {

template <typename T>
class GroupResults {
 public:
  using C = ComputeType<T>;

  // state[groups]; with sums, losses[groups] as well.
  GroupResults(const Problem<T>& of, bool sums_groups, GroupState* to_state, double* to_losses)
      : problem(of),
        plan(of.options, of.geometry.length),
        with_sums(sums_groups),
        state_(to_state),
        losses_(to_losses) {}

  void set_state(int64_t g, const Selected<C>& found) const {
    const OrderStatistics<C>& s = found.statistics;
    state_[g] =
        state_of(s.lower, s.upper, static_cast<double>(s.lower_count),
                 static_cast<double>(s.upper_count), found.rank, static_cast<double>(found.valid));
  }

  void set_loss(int64_t g, const Sums& sums) const {
    losses_[g] = mixture(static_cast<double>(problem.parameters.beta), sums.squares, sums.weighted);
    state_[g].threshold_gradient = sums.threshold_gradient;
  }

  // Of columns, whose Σ d² is one number: as good as the first's, where there is one output.
  void set_losses(int64_t first, std::vector<Sums>& sums, double squares) const {
    sums[0].squares = squares;
    for (size_t c = 0; c < sums.size(); ++c) set_loss(first + static_cast<int64_t>(c), sums[c]);
  }

  Sums sum_group(const Group<T>& group, const Selected<C>& found, Executor& inside) const {
    const Tail<C> tail = tail_of(found.threshold, found.statistics.lower, found.statistics.upper,
                                 problem.parameters);
    const auto sum_of = [&](int64_t begin, int64_t end) {
      Sums sums;
      group.for_each_valid(begin, end, [&](const Piece<T>& piece) {
        problem.loops.sum(piece.y_true, piece.y_pred, piece.length, problem.parameters, tail, sums);
      });
      return sums;
    };
    return block_sum<Sums>(group.length, sum_of, inside);
  }

  // Of columns whose states are set.
  std::vector<Sums> sum_known_columns(int64_t first, const Columns<T>& columns, Executor& inside,
                                      double& squares) const {
    const TailColumns<C> tails =
        columns_of(state_ + first, 1, columns.width, RowPasses(columns).repeat, problem.parameters);
    return sum_columns(columns, tails, problem.loops, problem.parameters, inside, squares);
  }

  const Problem<T>& problem;
  const SelectionPlan plan;
  const bool with_sums;

 private:
  GroupState* const state_;
  double* const losses_;
};

}  // namespace tailops
