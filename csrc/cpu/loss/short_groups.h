#pragma once

// Many groups of few elements. A call for each would cost more than its elements: they are taken
// side by side, as columns. Where groups do not lie that way, tiles of them are copied so.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/executor.h"
#include "core/growing_buffer.h"
#include "cpu/pass/columns.h"
#include "cpu/pass/problem.h"
#include "cpu/simd/selection_network.h"
#include "formulas/errors.h"

namespace tailops {

// Columns as wide as this are taken where they lie.
constexpr int64_t kWideColumns = 16;

// From more elements on a group is as well off alone.
constexpr int64_t kShortForward = SelectionNetwork::kMostLines;
constexpr int64_t kShortBackward = 32;

inline bool are_short(const Geometry& geometry, const Options& options, bool ignores,
                      int64_t longest) {
  return !ignores && options.selection == SelectionPath::kAuto && geometry.length <= longest &&
         geometry.groups() >= SelectionNetwork::kFewestGroups;
}

// Some groups, and where their elements are in memory.
template <typename T>
struct ShortTile {
  const Problem<T>& problem;
  int64_t first;
  int64_t width;

  int64_t length() const { return problem.geometry.length; }
  int64_t size() const { return length() * width; }

  // body(flat, i): element i of the tile is element `flat` of the tensor; group by group.
  template <typename Body>
  void for_each(const Body& body) const {
    const int64_t inner = problem.geometry.inner, n = length(), across = width;
    int64_t from = problem.geometry.first_of(first);
    for (int64_t c = 0; c < across; ++c) {
      for (int64_t k = 0; k < n; ++k) body(from + k * inner, k * across + c);
      from = inner == 1 ? from + n : problem.geometry.first_of(first + c + 1);
    }
  }

  // The two inputs. Where their type is the one that is computed in, the residual and zero, which
  // are as good and half the way.
  void gather(T* y_true, T* y_pred) const {
    const T* const targets = problem.elements.y_true;
    const T* const predictions = problem.elements.y_pred;
    if (!reads_target(problem.options.error_kind)) {
      return for_each([=](int64_t flat, int64_t i) { y_pred[i] = predictions[flat]; });
    }
    for_each([=](int64_t flat, int64_t i) {
      if constexpr (std::is_same_v<T, ComputeType<T>>) {
        y_pred[i] = predictions[flat] - targets[flat];
      } else {
        y_true[i] = targets[flat];
        y_pred[i] = predictions[flat];
      }
    });
  }

  void scatter(const T* from, T* to) const {
    for_each([=](int64_t flat, int64_t i) { to[flat] = from[i]; });
  }
};

// body(tile, columns): all groups, copied.
template <typename T, typename Body>
void for_each_short_tile(const Problem<T>& problem, Executor& executor, const Body& body) {
  const int64_t length = problem.geometry.length, groups = problem.geometry.groups();
  const int64_t width = SelectionNetwork::groups_at_once(length);
  const int64_t tiles = (groups + width - 1) / width;
  parallel_for(executor, tiles, width * length, [&](int64_t begin, int64_t end) {
    T* const y_true = scratch_of<T, Scratch::kTargets>(width * length);
    T* const y_pred = scratch_of<T, Scratch::kPredictions>(width * length);
    std::fill_n(y_true, width * length, T{});
    for (int64_t index = begin; index < end; ++index) {
      const int64_t first = index * width;
      const ShortTile<T> tile{problem, first, std::min(width, groups - first)};
      tile.gather(y_true, y_pred);
      body(tile, Columns<T>{y_true, y_pred, tile.width, tile.width, length});
    }
  });
}

}  // namespace tailops
