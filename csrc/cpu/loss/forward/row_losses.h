#pragma once

// The losses of elements whose thresholds are known, and their means over rows.

#include <algorithm>
#include <vector>

#include "cpu/loss/mean_factors.h"
#include "cpu/loss/results.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/problem.h"
#include "cpu/pass/tail_columns.h"
#include "formulas/band.h"

namespace tailops {

// In float64, several sums side by side: in a single one, each addition waits for the one before.
template <typename C>
double sum_of(const C* values, int64_t n) {
  constexpr int64_t kSums = 8;
  double sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int64_t k = 0; k < kSums; ++k) sums[k] += values[i + k];
  }
  double total = 0.0;
  for (; i < n; ++i) total += values[i];
  for (const double sum : sums) total += sum;
  return total;
}

// The sums of short rows do not wait for each other.
template <typename C>
double sum_of_row(const C* values, int64_t length) {
  constexpr int64_t kShort = 16;
  if (length >= kShort) return sum_of(values, length);
  double total = 0.0;
  for (int64_t k = 0; k < length; ++k) total += values[k];
  return total;
}

template <typename T>
class RowLosses {
 public:
  using C = ComputeType<T>;

  RowLosses(const Problem<T>& problem, const GroupState* state)
      : problem_(problem),
        geometry_(problem.geometry),
        state_(state),
        columns_(columns_of(state, problem.geometry, problem.parameters)) {}

  // Rows of one element, whose mean it is.
  void write_elements(T* losses, Executor& executor) const {
    const ElementResults<T> results(problem_, losses);
    results.for_each_block(executor, [&](int64_t begin, int64_t end) {
      results.write(
          begin, end, [&](const Piece<T>& piece, int64_t, int64_t group, bool streamed, T* to) {
            if (geometry_.inner == 1) {
              problem_.loops.losses(piece.y_true, piece.y_pred, piece.length, problem_.parameters,
                                    tail_of(state_[group], problem_.parameters), streamed, to);
            } else {
              problem_.loops.column_losses(piece.y_true, piece.y_pred, piece.length,
                                           problem_.parameters, columns_, group, streamed, to);
            }
          });
    });
  }

  // Means over rows of more elements than one: `are_long`, of several blocks.
  void write_means(bool are_long, T* means, Executor& executor) const {
    const int64_t length = geometry_.row_length;
    const int64_t rows_at_once = std::max<int64_t>(1, kBlockLength / length);
    const int64_t parts = (geometry_.rows() + rows_at_once - 1) / rows_at_once;
    run_tasks(executor, parts, rows_at_once * length,
              [&](int64_t begin, int64_t end, Executor& inside) {
                for (int64_t part = begin; part < end; ++part) {
                  const int64_t first = part * rows_at_once;
                  const int64_t rows = std::min(rows_at_once, geometry_.rows() - first);
                  if (are_long) {
                    means[first] = long_row_mean(first, inside);
                  } else {
                    write_means_of_block(first, rows, means);
                  }
                }
              });
  }

 private:
  // Of rows that are a block together.
  void write_means_of_block(int64_t first, int64_t rows, T* means) const {
    const int64_t length = geometry_.row_length;
    C losses[kBlockLength];
    write_losses(first * length, rows * length, losses);
    SerialExecutor alone;
    for (int64_t row = 0; row < rows; ++row) {
      const double total = sum_of_row(losses + row * length, length);
      means[first + row] = narrow<T>(total * mean_factor(problem_, first + row, alone));
    }
  }

  T long_row_mean(int64_t row, Executor& inside) const {
    const int64_t length = geometry_.row_length;
    const auto sum_of_block = [&](int64_t begin, int64_t end) {
      C losses[kBlockLength];
      write_losses(row * length + begin, end - begin, losses);
      return sum_of(losses, end - begin);
    };
    const double total = block_sum<double>(length, sum_of_block, inside);
    return narrow<T>(total * mean_factor(problem_, row, inside));
  }

  void write_losses(int64_t begin, int64_t count, C* out) const {
    for_each_run(geometry_, begin, begin + count, [&](int64_t flat, int64_t n, int64_t group) {
      const Elements<T> elements = problem_.elements.from(flat);
      int64_t ignored;
      const Piece<T> piece = with_zeros(elements, n, problem_.ignoring, ignored);
      C* const to = out + (flat - begin);
      if (geometry_.inner == 1) {
        const Tail<C> tail = tail_of(state_[group], problem_.parameters);
        problem_.loops.wide_losses(piece.y_true, piece.y_pred, n, problem_.parameters, tail, to);
      } else {
        problem_.loops.wide_column_losses(piece.y_true, piece.y_pred, n, problem_.parameters,
                                          columns_, group, to);
      }
      // Where the threshold is NaN, even an error of zero has a loss.
      if (ignored != 0) problem_.loops.clear_wide(elements, n, problem_.ignoring.rule, to);
    });
  }

  const Problem<T>& problem_;
  const Geometry& geometry_;
  const GroupState* const state_;
  const TailColumns<C> columns_;
};

}  // namespace tailops
