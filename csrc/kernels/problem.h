#pragma once

// The inputs of one call as the forward and the backward pass see them.

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "executor.h"
#include "float_types.h"
#include "formulas.h"
#include "geometry.h"
#include "options.h"

namespace tailops {

template <typename Error, typename T>
struct Problem {
  using Compute = ComputeType<T>;

  Problem(const T* y_true_in, const T* y_pred_in, const Geometry& geometry_in,
          const Options& options_in)
      : y_true(y_true_in),
        y_pred(y_pred_in),
        geometry(geometry_in),
        options(options_in),
        formulas{static_cast<Compute>(options_in.smoothing_factor),
                 static_cast<Compute>(options_in.error_scale),
                 static_cast<Compute>(options_in.beta), static_cast<Compute>(options_in.epsilon)} {}

  Compute residual(int64_t flat) const { return widen(y_pred[flat]) - widen(y_true[flat]); }
  Compute error(int64_t flat) const { return formulas.error(residual(flat)); }

  Compute threshold_derivative(Compute e, Compute threshold) const {
    return formulas.threshold_derivative(e, tail_indicator(e, threshold, formulas.kappa));
  }

  // Position of a group's first element; its k-th lies k·inner further.
  int64_t first_of(int64_t group) const {
    const int64_t inner = geometry.inner;
    return group / inner * inner * geometry.length + group % inner;
  }

  const T* y_true;
  const T* y_pred;
  const Geometry& geometry;
  const Options& options;
  TailFormulas<Error, Compute> formulas;
};

// body(Error{}) for the error kind with this index.
template <size_t I = 0, typename Body>
void with_error_kind(int index, const Body& body) {
  if constexpr (I < std::tuple_size_v<ErrorKinds>) {
    if (index == static_cast<int>(I)) {
      body(std::tuple_element_t<I, ErrorKinds>{});
    } else {
      with_error_kind<I + 1>(index, body);
    }
  }
}

// body(group, executor): many small groups side by side, few large ones in parallel inside.
template <typename Body>
void for_each_group(const Geometry& geometry, Executor& executor, const Body& body) {
  if (geometry.groups() == 1 || geometry.length >= kParallelElements) {
    for (int64_t group = 0; group < geometry.groups(); ++group) body(group, executor);
    return;
  }
  parallel_for(executor, geometry.groups(), geometry.length, [&](int64_t begin, int64_t end) {
    SerialExecutor serial;
    for (int64_t group = begin; group < end; ++group) body(group, serial);
  });
}

// body(flat, group) in memory order.
template <typename Body>
void for_each_element(const Geometry& geometry, int64_t begin, int64_t end, const Body& body) {
  if (geometry.inner == 1) {
    int64_t group = begin / geometry.length;
    for (int64_t flat = begin; flat < end; ++group) {
      const int64_t stop = std::min(end, (group + 1) * geometry.length);
      for (; flat < stop; ++flat) body(flat, group);
    }
    return;
  }
  const int64_t slab = geometry.length * geometry.inner;
  for (int64_t flat = begin; flat < end;) {
    const int64_t first_group = flat / slab * geometry.inner;
    const int64_t column = flat % geometry.inner;
    const int64_t stop = std::min(end, flat + geometry.inner - column);
    for (int64_t group = first_group + column; flat < stop; ++flat, ++group) body(flat, group);
  }
}

}  // namespace tailops
