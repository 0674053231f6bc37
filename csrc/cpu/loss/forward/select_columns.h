#pragma once

// The thresholds, and sums, of many columns at once.

#include <atomic>
#include <vector>

#include "cpu/loss/forward/group_results.h"
#include "cpu/loss/forward/select_groups.h"
#include "cpu/select/columns.h"

namespace tailops {

// Of a column whose bracket was beyond its rank.
template <typename T>
Selected<ComputeType<T>> select_alone(const GroupResults<T>& results, int64_t g, Executor& inside) {
  SelectionHint<ComputeType<T>> none;
  return selector_of(results, results.problem.group(g), inside).select(false, none);
}

// Of columns that were selected, with their sums or without; `squares` is Σ d² of all.
template <typename T>
void sum_selected(const GroupResults<T>& results, int64_t first, const Columns<T>& columns,
                  const std::vector<Selected<ComputeType<T>>>& selected, double squares,
                  Executor& inside) {
  int64_t without_sums = 0;
  for (const auto& of_column : selected) without_sums += !of_column.sums;
  // A column by itself is read a cache line per element: only if few columns are.
  if (without_sums * kTileColumns > columns.width) {
    squares = 0.0;
    std::vector<Sums> sums = results.sum_known_columns(first, columns, inside, squares);
    return results.set_losses(first, sums, squares);
  }
  std::vector<Sums> sums;
  for (const auto& of_column : selected) {
    const int64_t g = first + static_cast<int64_t>(sums.size());
    sums.push_back(of_column.sums ? *of_column.sums
                                  : results.sum_group(results.problem.group(g), of_column, inside));
    sums.back().squares = 0.0;
  }
  results.set_losses(first, sums, squares);
}

// False where most of the elements would be kept: then nothing has been set that does not come
// again.
template <typename T>
bool select_columns(const GroupResults<T>& results, Executor& executor) {
  using C = ComputeType<T>;
  const Problem<T>& problem = results.problem;
  std::atomic<bool> all{true};
  for_each_columns(
      problem, executor, [&](int64_t first, const Columns<T>& columns, Executor& inside) {
        if (!all) return;
        const ColumnSelector<T> selecting(columns, results.plan, problem.loops, problem.parameters,
                                          inside);
        const auto found = selecting.select(results.with_sums);
        if (!found) {
          all = false;
          return;
        }
        std::vector<Selected<C>> selected;
        for (const auto& of_column : found->columns) {
          const int64_t g = first + static_cast<int64_t>(selected.size());
          selected.push_back(of_column ? *of_column : select_alone(results, g, inside));
          results.set_state(g, selected.back());
        }
        if (results.with_sums) {
          sum_selected(results, first, columns, selected, found->squares, inside);
        }
      });
  return all;
}

}  // namespace tailops
