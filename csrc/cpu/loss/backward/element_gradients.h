#pragma once

// The gradient of every element, of groups whose states and ties are known.

#include <vector>

#include "cpu/loss/results.h"
#include "cpu/pass/problem.h"
#include "cpu/pass/tail_columns.h"
#include "formulas/ties.h"

namespace tailops {

// `upstreams` as in threshold_gradients.h.
template <typename T, typename Upstreams>
void write_gradients(const Problem<T>& problem, const GroupState* state,
                     const std::vector<Ties>& ties, const Upstreams& upstreams, T* gradient,
                     Executor& executor) {
  const Geometry& geometry = problem.geometry;
  TailColumns<ComputeType<T>> columns = columns_of(state, geometry, problem.parameters);
  if (geometry.inner > 1) add_ties(columns, ties, geometry.inner, rows_of_run(geometry));
  const ElementResults<T> results(problem, gradient);
  results.for_each_block(executor, [&, spread = std::vector<T>()](int64_t begin,
                                                                  int64_t end) mutable {
    const Upstream<T> upstream = upstreams.of(begin, end, spread);
    results.write(
        begin, end, [&](const Piece<T>& piece, int64_t flat, int64_t group, bool streamed, T* to) {
          Upstream<T> here = upstream;
          if (here.each) here.values += flat - begin;
          if (geometry.inner == 1) {
            problem.loops.gradient(piece.y_true, piece.y_pred, piece.length, problem.parameters,
                                   tail_of(state[group], problem.parameters),
                                   ties[static_cast<size_t>(group)], here, streamed, to);
          } else {
            problem.loops.column_gradient(piece.y_true, piece.y_pred, piece.length,
                                          problem.parameters, columns, group, here, streamed, to);
          }
        });
  });
}

}  // namespace tailops
