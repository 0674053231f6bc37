#pragma once

// The state of the groups in the form the loops take.

#include <vector>

#include "band.h"
#include "geometry.h"
#include "tail_loss.h"

namespace tailops {

template <typename C>
Tail<C> tail_of(const GroupState& state, const Weights<C>& weights) {
  return tail_of(static_cast<C>(state.threshold), static_cast<C>(state.lower),
                 static_cast<C>(state.upper), weights);
}

// One entry per group; empty where groups are not columns.
template <typename C>
TailColumns<C> columns_of(const GroupState* state, const Geometry& geometry,
                          const Weights<C>& weights) {
  TailColumns<C> columns;
  if (geometry.inner == 1) return columns;
  for (int64_t g = 0; g < geometry.groups(); ++g) {
    const Tail<C> tail = tail_of(state[g], weights);
    columns.threshold.push_back(tail.threshold);
    columns.lower.push_back(tail.lower);
    columns.upper.push_back(tail.upper);
    columns.band_low.push_back(tail.band_low);
    columns.band_high.push_back(tail.band_high);
  }
  columns.through_lower.resize(static_cast<size_t>(geometry.groups()));
  columns.through_upper.resize(static_cast<size_t>(geometry.groups()));
  return columns;
}

}  // namespace tailops
