#pragma once

// The inputs of one call as the forward and the backward pass see them.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "call/geometry.h"
#include "call/ignore_rule.h"
#include "call/options.h"
#include "call/sample_plan.h"
#include "core/executor.h"
#include "core/float_types.h"
#include "cpu/pass/columns.h"
#include "cpu/pass/group.h"
#include "cpu/simd/loops.h"
#include "formulas/errors.h"

namespace tailops {

template <typename T>
struct Problem {
  using C = ComputeType<T>;

  Problem(const T* y_true, const T* y_pred, const bool* mask, const Geometry& geometry_in,
          const Options& options_in)
      : elements{reads_target(options_in.error_kind) ? y_true : y_pred, y_pred, mask},
        geometry(geometry_in),
        options(options_in),
        loops(loops_of<T>(options_in.error_kind)),
        parameters(loss_parameters<C>(options_in)),
        ignoring{&loops, ignore_rule<T>(options_in),
                 mask != nullptr || ignore_rule<T>(options_in).any()} {}

  Group<T> group(int64_t g) const {
    return {elements.from(geometry.first_of(g)), geometry.inner, geometry.length, ignoring};
  }

  const Elements<T> elements;  // whose targets, where none is read, are the predictions
  const Geometry& geometry;
  const Options& options;
  const Loops<T>& loops;
  const LossParameters<C> parameters;
  const Ignoring<T> ignoring;
};

// Columns of a matrix that are gathered at once: as many as share a cache line of float32.
constexpr int64_t kTileColumns = 16;
// Taller columns are read where they lie, so that a tile's copy stays in the cache.
constexpr int64_t kTileRows = 16384;

// Small groups that one thread takes in a row, each of them with what the one before has taught.
// Fixed, so that results do not depend on the number of threads.
inline int64_t groups_in_a_row(const Groups& geometry) {
  return std::clamp<int64_t>(2 * kParallelElements / geometry.length, 1, 64);
}

// body(g, group, executor, hint): short columns, side by side. Tiles of them are copied, so that
// each is contiguous.
template <typename T, typename Body>
void for_each_gathered_group(const Problem<T>& problem, Executor& executor, const Body& body) {
  const Geometry& geometry = problem.geometry;
  const int64_t inner = geometry.inner, length = geometry.length;
  const int64_t width = neighbours_in_a_task(geometry.groups(), length, kTileColumns, executor);
  const int64_t tiles_across = (inner + width - 1) / width;
  parallel_for(executor, geometry.outer * tiles_across, length * std::min(inner, width),
               [&](int64_t begin, int64_t end) {
                 SerialExecutor serial;
                 const auto size = static_cast<size_t>(width * length);
                 const bool masked = problem.elements.mask != nullptr;
                 const bool two = problem.elements.y_true != problem.elements.y_pred;
                 std::vector<T> predictions(size), targets(two ? size : 0);
                 T* const y_true = two ? targets.data() : predictions.data();
                 const std::unique_ptr<bool[]> mask(masked ? new bool[size] : nullptr);
                 const Elements<T> tile{y_true, predictions.data(), mask.get()};
                 for (int64_t index = begin; index < end; ++index) {
                   const int64_t column = index % tiles_across * width;
                   const int64_t columns = std::min(width, inner - column);
                   const int64_t first = index / tiles_across * length * inner + column;
                   const Elements<T> from = problem.elements.from(first);
                   for (int64_t k = 0; k < length; ++k) {
                     for (int64_t c = 0; c < columns; ++c) {
                       const auto to = static_cast<size_t>(c * length + k);
                       y_true[to] = from.y_true[k * inner + c];
                       predictions[to] = from.y_pred[k * inner + c];
                       if (masked) mask[to] = from.mask[k * inner + c];
                     }
                   }
                   for (int64_t c = 0; c < columns; ++c) {
                     const int64_t g = index / tiles_across * inner + column + c;
                     SelectionHint<ComputeType<T>> hint;
                     body(g, Group<T>{tile.from(c * length), 1, length, problem.ignoring}, serial,
                          hint);
                   }
                 }
               });
}

// The same of all groups, side by side or one after the other.
template <typename T, typename Body>
void for_each_group(const Problem<T>& problem, Executor& executor, const Body& body) {
  const Geometry& geometry = problem.geometry;
  if (geometry.inner > 1 && geometry.length <= kTileRows) {
    return for_each_gathered_group(problem, executor, body);
  }
  const int64_t at_once = groups_in_a_row(geometry);
  const int64_t parts = (geometry.groups() + at_once - 1) / at_once;
  run_tasks(executor, parts, at_once * geometry.length,
            [&](int64_t begin, int64_t end, Executor& inside) {
              for (int64_t part = begin; part < end; ++part) {
                const int64_t last = std::min(geometry.groups(), (part + 1) * at_once);
                SelectionHint<ComputeType<T>> hint;
                for (int64_t g = part * at_once; g < last; ++g) {
                  body(g, problem.group(g), inside, hint);
                }
              }
            });
}

// body(first_group, columns, executor): the groups of tensors whose groups are columns, some side
// by side. Nothing may be ignored.
template <typename T, typename Body>
void for_each_columns(const Problem<T>& problem, Executor& executor, const Body& body) {
  constexpr int64_t kWidth = 2048;
  const Geometry& geometry = problem.geometry;
  const int64_t across = (geometry.inner + kWidth - 1) / kWidth;
  const auto at = [&](int64_t index, Executor& inside) {
    const int64_t column = index % across * kWidth;
    const int64_t width = std::min(kWidth, geometry.inner - column);
    const int64_t group = index / across * geometry.inner + column;
    const int64_t first = geometry.first_of(group);
    body(group,
         Columns<T>{problem.elements.y_true + first, problem.elements.y_pred + first,
                    geometry.inner, width, geometry.length},
         inside);
  };
  const auto run = [&](int64_t begin, int64_t end, Executor& inside) {
    for (int64_t index = begin; index < end; ++index) at(index, inside);
  };
  run_tasks(executor, geometry.outer * across, std::min(geometry.inner, kWidth) * geometry.length,
            run, RowPasses::kPartElements);
}

// body(flat, count, first): [begin, end) in memory order, cut where groups change; `first` is the
// group. Where groups are columns, some rows of a matrix are one run, and `first` is the number of
// its first element in TailColumns.
template <typename Body>
void for_each_run(const Groups& geometry, int64_t begin, int64_t end, const Body& body) {
  const int64_t inner = geometry.inner;
  const int64_t matrix = geometry.length * inner;
  const int64_t run = inner == 1 ? matrix : inner * rows_of_run(geometry);
  for (int64_t flat = begin; flat < end;) {
    const int64_t outer = flat / matrix, within = flat % matrix, into = within % run;
    const int64_t stop = std::min({end, flat - into + run, (outer + 1) * matrix});
    body(flat, stop - flat, inner == 1 ? outer : outer * run + into);
    flat = stop;
  }
}

}  // namespace tailops
