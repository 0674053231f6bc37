#pragma once

// Thresholds of groups of few elements, side by side through one selection network.

#include <vector>

#include "cpu/loss/forward/group_results.h"
#include "cpu/loss/short_groups.h"
#include "cpu/simd/selection_network.h"

namespace tailops {

template <typename T>
SelectionNetwork network_of(const GroupResults<T>& results) {
  const Rank& rank = results.plan.rank;
  const int64_t upper = rank.weight == 0.0 ? rank.lower : rank.lower + 1;
  return {results.problem.geometry.length, {rank.lower, upper}};
}

template <typename T>
void select_short_columns(const GroupResults<T>& results, const SelectionNetwork& network,
                          int64_t first, const Columns<T>& columns, Executor& inside) {
  using C = ComputeType<T>;
  const Problem<T>& problem = results.problem;
  std::vector<Ranked<C>> found(2 * static_cast<size_t>(columns.width));
  problem.loops.ranked_errors(columns.y_true, columns.y_pred, columns.stride, columns.width,
                              problem.parameters, network, found.data());
  const Ranked<C>* of = found.data();
  for (int64_t c = 0; c < columns.width; ++c, of += 2) {
    const OrderStatistics<C> statistics{of[0].value, of[1].value, of[0].ties, of[1].ties};
    results.set_state(first + c, {statistics, results.plan.rank, columns.length});
  }
  if (!results.with_sums) return;
  double squares = 0.0;
  std::vector<Sums> sums = results.sum_known_columns(first, columns, inside, squares);
  results.set_losses(first, sums, squares);
}

// Where they lie.
template <typename T>
void select_short_columns(const GroupResults<T>& results, Executor& executor) {
  const SelectionNetwork network = network_of(results);
  for_each_columns(results.problem, executor,
                   [&](int64_t first, const Columns<T>& columns, Executor& inside) {
                     select_short_columns(results, network, first, columns, inside);
                   });
}

// Copied, some at a time.
template <typename T>
void select_short_tiles(const GroupResults<T>& results, Executor& executor) {
  const SelectionNetwork network = network_of(results);
  for_each_short_tile(results.problem, executor,
                      [&](const ShortTile<T>& tile, const Columns<T>& columns) {
                        SerialExecutor serial;
                        select_short_columns(results, network, tile.first, columns, serial);
                      });
}

}  // namespace tailops
