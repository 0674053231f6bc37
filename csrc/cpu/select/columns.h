#pragma once

// The thresholds of many columns at once. Elements of one column lie far apart: read column by
// column, a matrix comes from memory a cache line per element. Here whole rows are read, once, each
// element against the bracket of its own column; what is above goes to one buffer, with the number
// of its column, and is sorted by that number afterwards.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "call/sample_plan.h"
#include "core/executor.h"
#include "core/growing_buffer.h"
#include "cpu/pass/columns.h"
#include "cpu/pass/problem.h"
#include "cpu/pass/tail_columns.h"
#include "cpu/select/bracket.h"
#include "cpu/select/order_statistics.h"
#include "formulas/band.h"

namespace tailops {

template <typename T>
class ColumnSelector {
 public:
  using C = ComputeType<T>;

  ColumnSelector(const Columns<T>& columns, const SelectionPlan& plan, const Loops<T>& loops,
                 const LossParameters<C>& parameters, Executor& executor)
      : columns_(columns),
        passes_(columns),
        plan_(plan),
        loops_(loops),
        parameters_(parameters),
        executor_(executor) {}

  struct Result {
    // Nothing for a column whose bracket was beyond its rank.
    std::vector<std::optional<Selected<C>>> columns;
    double squares = 0.0;  // Σ d² of all; the columns' sums are without
  };

  // The columns' thresholds and, if wanted and few elements are near them, sums. Nothing where much
  // lies above the brackets.
  std::optional<Result> select(bool with_sums) const {
    std::vector<C> band_low, low;
    draw(low, band_low);
    if (with_sums && few_are_kept(band_low)) return collect(band_low, true);
    if (few_are_kept(low)) return collect(low, false);
    return std::nullopt;
  }

 private:
  struct Part {
    explicit Part(int64_t width) : below(width) {}

    GrowingBuffer<C> values;
    GrowingBuffer<Position<C>> columns;
    RowSums<C> below;
    double squares = 0.0;
  };

  // --- The sample: the same random rows for all columns.

  // Twice as many as of a contiguous group: what is kept has to be sorted by column.
  int64_t sample_rows() const {
    return std::min(columns_.length, 2 * plan_.sample_runs * kRunLength);
  }

  void draw(std::vector<C>& low, std::vector<C>& band_low) const {
    const int64_t m = sample_rows();
    const auto width = static_cast<size_t>(columns_.width);
    sample_ = scratch_of<C, Scratch::kColumnSample>(m * columns_.width);
    for (int64_t i = 0; i < m; ++i) {
      const int64_t at = SelectionPlan::stratified(i, m, columns_.length) * columns_.stride;
      loops_.errors(columns_.y_true + at, columns_.y_pred + at, columns_.width, parameters_,
                    sample_ + static_cast<size_t>(i) * width);
    }
    const double place = plan_.lower_place(m, kReaches[0]);
    low.resize(width + kSlack);
    band_low.resize(width + kSlack);
    std::vector<C> column(static_cast<size_t>(m)), spare(static_cast<size_t>(spare_length(m)));
    for (size_t c = 0; c < width; ++c) {
      for (size_t i = 0; i < static_cast<size_t>(m); ++i) column[i] = sample_[i * width + c];
      low[c] =
          element_of_sample(loops_, static_cast<const C*>(column.data()), m, place, spare.data());
      if (plan_.path == SelectionPath::kMiss) low[c] = std::numeric_limits<C>::infinity();
      band_low[c] = with_band(low[c], C(2) * low[c], plan_.rank.factor, parameters_).band_low;
    }
  }

  // Whether what is not below is at most a quarter of the sample.
  bool few_are_kept(const std::vector<C>& from) const {
    const auto width = static_cast<size_t>(columns_.width);
    const size_t size = static_cast<size_t>(sample_rows()) * width;
    size_t kept = 0;
    for (size_t i = 0; i < size; i += width) {
      int of_row = 0;
      for (size_t c = 0; c < width; ++c) of_row += sample_[i + c] >= from[c];
      kept += static_cast<size_t>(of_row);
    }
    return are_few(static_cast<int64_t>(kept), static_cast<int64_t>(size));
  }

  // --- The pass.

  Result collect(std::vector<C> from, bool with_sums) const {
    repeat(from);
    std::vector<Part> parts;
    parts.reserve(static_cast<size_t>(passes_.parts));
    for (int64_t part = 0; part < passes_.parts; ++part) parts.emplace_back(passes_.width);
    passes_.for_each_part(executor_, [&](int64_t part) {
      collect_part(from, part, parts[static_cast<size_t>(part)]);
    });
    std::vector<int64_t> first_of(static_cast<size_t>(columns_.width) + 1);
    const C* const values = by_column(parts, first_of);
    Result result;
    for (const Part& part : parts) result.squares += part.squares;
    result.columns.resize(static_cast<size_t>(columns_.width));
    parallel_for(executor_, columns_.width, columns_.length, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        const int64_t first = first_of[static_cast<size_t>(c)];
        const int64_t count = first_of[static_cast<size_t>(c) + 1] - first;
        result.columns[static_cast<size_t>(c)] =
            finish(values + first, count, parts, c, with_sums, from[static_cast<size_t>(c)]);
      }
    });
    return result;
  }

  // One entry per element of a row as they are taken, and what whole vectors read beyond.
  void repeat(std::vector<C>& from) const {
    const auto width = static_cast<size_t>(columns_.width);
    from.resize(static_cast<size_t>(passes_.width + kSlack));
    for (size_t c = width; c < static_cast<size_t>(passes_.width); ++c) from[c] = from[c - width];
  }

  void collect_part(const std::vector<C>& from, int64_t index, Part& part) const {
    passes_.for_each_row(
        columns_, index,
        [&](const T* y_true, const T* y_pred, int64_t n) {
          part.values.reserve_more(n + kSlack);
          part.columns.reserve_more(n + kSlack);
          ColumnCandidates<C> found{part.values.data(), part.columns.data(), part.values.size()};
          loops_.column_collect(y_true, y_pred, n, parameters_, from.data(), part.below.tile(),
                                found);
          part.values.set_size(found.count);
          part.columns.set_size(found.count);
          part.squares += found.squares;
        },
        [&] { part.below.flush(); });
  }

  // All candidates, those of a column in the order of their rows; where each column's begin.
  C* by_column(std::vector<Part>& parts, std::vector<int64_t>& first_of) const {
    for (Part& part : parts) {
      if (passes_.repeat > 1) {
        const auto width = static_cast<uint32_t>(columns_.width);
        for (int64_t i = 0; i < part.columns.size(); ++i) {
          Position<C>& c = part.columns.data()[i];
          c = static_cast<Position<C>>(static_cast<uint32_t>(c) % width);
        }
      }
      for (const Position<C> c : part.columns) ++first_of[static_cast<size_t>(c) + 1];
    }
    for (size_t c = 1; c < first_of.size(); ++c) first_of[c] += first_of[c - 1];
    C* const values = scratch_of<C, Scratch::kColumnValues>(first_of.back());
    std::vector<int64_t> next = first_of;
    for (const Part& part : parts) {
      const C* value = part.values.begin();
      for (const Position<C> c : part.columns) {
        values[next[static_cast<size_t>(c)]++] = *value++;
      }
    }
    return values;
  }

  std::optional<Selected<C>> finish(const C* values, int64_t count, const std::vector<Part>& parts,
                                    int64_t column, bool with_sums, C band_low) const {
    const std::optional<OrderStatistics<C>> statistics =
        statistics_of_largest(loops_, plan_.rank, values, count, columns_.length - count);
    if (!statistics) return std::nullopt;
    Selected<C> selected(*statistics, plan_.rank, columns_.length);
    const Tail<C> tail =
        tail_of(selected.threshold, statistics->lower, statistics->upper, parameters_);
    // Not if the threshold is so low that some of what was added up unseen is near it.
    if (with_sums && tail.band_low >= band_low) {
      Sums sums;
      for (const Part& part : parts) {
        for (int64_t c = column; c < passes_.width; c += columns_.width) {
          sums.weighted += part.below[static_cast<size_t>(c)];
        }
      }
      for (int64_t i = 0; i < count; i += kBlockLength) {
        loops_.sum_errors(values + i, std::min(kBlockLength, count - i), parameters_, tail, sums);
      }
      selected.sums = sums;
    }
    return selected;
  }

  const Columns<T>& columns_;
  const RowPasses passes_;
  const SelectionPlan& plan_;
  const Loops<T>& loops_;
  const LossParameters<C>& parameters_;
  Executor& executor_;
  mutable C* sample_ = nullptr;
};

}  // namespace tailops
