#pragma once

// Each group by itself: its threshold and, where they are wanted, its sums.

#include "cpu/loss/forward/group_results.h"
#include "cpu/select/group.h"

namespace tailops {

template <typename T>
Selector<T> selector_of(const GroupResults<T>& results, const Group<T>& group, Executor& inside) {
  const Problem<T>& problem = results.problem;
  return {group, results.plan, problem.loops, problem.parameters, inside};
}

template <typename T>
void select_groups(const GroupResults<T>& results, Executor& executor) {
  using C = ComputeType<T>;
  for_each_group(results.problem, executor,
                 [&](int64_t g, const Group<T>& group, Executor& inside, SelectionHint<C>& hint) {
                   const Selected<C> found =
                       selector_of(results, group, inside).select(results.with_sums, hint);
                   results.set_state(g, found);
                   if (!results.with_sums) return;
                   results.set_loss(
                       g, found.sums ? *found.sums : results.sum_group(group, found, inside));
                 });
}

}  // namespace tailops
