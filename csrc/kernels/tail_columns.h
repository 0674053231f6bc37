#pragma once

// The state of the groups in the form the loops take.

#include <vector>

#include "band.h"
#include "columns.h"
#include "geometry.h"
#include "tail_loss.h"

namespace tailops {

template <typename C>
Tail<C> tail_of(const GroupState& state, const Weights<C>& weights) {
  return tail_of(static_cast<C>(state.threshold), static_cast<C>(state.lower),
                 static_cast<C>(state.upper), weights);
}

// What an element that ties with one of the group's order statistics gets; `gradient` is ∂L/∂t.
template <typename T>
Ties ties_of(const GroupState& state, double gradient, const Loops<T>& loops,
             const Weights<ComputeType<T>>& weights) {
  using C = ComputeType<T>;
  const C threshold = static_cast<C>(state.threshold);
  const C lower = static_cast<C>(state.lower), upper = static_cast<C>(state.upper);
  const double direct = loops.direct_derivative(lower, threshold, weights);
  return {direct, lower == upper ? direct : loops.direct_derivative(upper, threshold, weights),
          gradient * state.lower_share, gradient * state.upper_share};
}

// How many rows share a run of for_each_run: as many as make it long, unless the matrices are so
// many that the columns' entries would be more than the elements are worth.
inline int64_t rows_of_run(const Geometry& geometry) {
  constexpr int64_t kMostEntries = int64_t{1} << 16;
  const int64_t repeat = rows_taken_as_one(geometry.inner, geometry.inner, geometry.length);
  return geometry.groups() * repeat <= kMostEntries ? repeat : 1;
}

// For each matrix its columns, `repeat` times, as for_each_run numbers them.
template <typename C>
TailColumns<C> columns_of(const GroupState* state, int64_t outer, int64_t inner, int64_t repeat,
                          const Weights<C>& weights) {
  TailColumns<C> columns;
  const auto size = static_cast<size_t>(outer * inner * repeat + kSlack);
  for (auto* of : {&columns.threshold, &columns.lower, &columns.upper, &columns.band_low,
                   &columns.band_high}) {
    of->resize(size);
  }
  for (int64_t g = 0; g < outer * inner; ++g) {
    const Tail<C> tail = tail_of(state[g], weights);
    for (int64_t r = 0; r < repeat; ++r) {
      const auto i = static_cast<size_t>((g / inner * repeat + r) * inner + g % inner);
      columns.threshold[i] = tail.threshold;
      columns.lower[i] = tail.lower;
      columns.upper[i] = tail.upper;
      columns.band_low[i] = tail.band_low;
      columns.band_high[i] = tail.band_high;
    }
  }
  return columns;
}

template <typename C>
void add_ties(TailColumns<C>& columns, const std::vector<Ties>& ties, int64_t inner,
              int64_t repeat) {
  for (auto* of : {&columns.direct_lower, &columns.direct_upper, &columns.through_lower,
                   &columns.through_upper}) {
    of->resize(columns.threshold.size());
  }
  for (int64_t i = 0; i < static_cast<int64_t>(ties.size()) * repeat; ++i) {
    const auto at = static_cast<size_t>(i);
    const Ties& of = ties[static_cast<size_t>(i / (inner * repeat) * inner + i % inner)];
    columns.direct_lower[at] = of.direct_lower;
    columns.direct_upper[at] = of.direct_upper;
    columns.through_lower[at] = of.through_lower;
    columns.through_upper[at] = of.through_upper;
  }
}

}  // namespace tailops
