#pragma once

// The sums of columns whose thresholds are known.

#include <vector>

#include "core/executor.h"
#include "cpu/pass/columns.h"
#include "cpu/simd/loops.h"

namespace tailops {

// One Sums per column, without Σ d², which is added to `squares`. `tails` has an entry for each
// element of a row as RowPasses takes them.
template <typename T, typename C = ComputeType<T>>
std::vector<Sums> sum_columns(const Columns<T>& columns, const TailColumns<C>& tails,
                              const Loops<T>& loops, const LossParameters<C>& parameters,
                              Executor& executor, double& squares) {
  struct Part {
    explicit Part(int64_t width) : weighted(width), slopes(width) {}

    RowSums<C> weighted;
    RowSums<C> slopes;
    double squares = 0.0;
  };
  const RowPasses passes(columns);
  std::vector<Part> parts(static_cast<size_t>(passes.parts), Part(passes.width));
  passes.for_each_part(executor, [&](int64_t index) {
    Part& part = parts[static_cast<size_t>(index)];
    passes.for_each_row(
        columns, index,
        [&](const T* y_true, const T* y_pred, int64_t n) {
          loops.column_sum(y_true, y_pred, n, parameters, tails, part.weighted.tile(),
                           part.slopes.tile(), part.squares);
        },
        [&] {
          part.weighted.flush();
          part.slopes.flush();
        });
  });
  std::vector<Sums> sums(static_cast<size_t>(columns.width));
  for (const Part& part : parts) {
    squares += part.squares;
    for (size_t c = 0; c < static_cast<size_t>(passes.width); ++c) {
      Sums& of = sums[c % sums.size()];
      of.weighted += part.weighted[c];
      of.threshold_gradient += part.slopes[c];
    }
  }
  return sums;
}

// ∂L/∂t of each column. upstream_of(flat, n, spread) is the upstream gradient of n elements from
// `flat` elements behind the columns' first; `spread` is for its use.
template <typename T, typename UpstreamOf, typename C = ComputeType<T>>
std::vector<ThresholdGradient> column_threshold_gradients(
    const Columns<T>& columns, const TailColumns<C>& tails, const Loops<T>& loops,
    const LossParameters<C>& parameters, Executor& executor, const UpstreamOf& upstream_of) {
  const RowPasses passes(columns);
  std::vector<std::vector<ThresholdGradient>> parts(static_cast<size_t>(passes.parts));
  passes.for_each_part(executor, [&](int64_t index) {
    std::vector<ThresholdGradient>& part = parts[static_cast<size_t>(index)];
    part.resize(static_cast<size_t>(passes.width));
    std::vector<T> spread;
    passes.for_each_row(
        columns, index,
        [&](const T* y_true, const T* y_pred, int64_t n) {
          const Upstream<T> upstream = upstream_of(y_true - columns.y_true, n, spread);
          loops.column_threshold_gradient(y_true, y_pred, n, parameters, tails, upstream,
                                          part.data());
        },
        [] {});
  });
  std::vector<ThresholdGradient> gradients(static_cast<size_t>(columns.width));
  for (const std::vector<ThresholdGradient>& part : parts) {
    for (size_t c = 0; c < part.size(); ++c) gradients[c % gradients.size()] += part[c];
  }
  return gradients;
}

}  // namespace tailops
