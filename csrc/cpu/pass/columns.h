#pragma once

// Columns side by side: groups that lie strided in memory, read in the order in which they lie.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "call/groups.h"
#include "core/executor.h"

namespace tailops {

template <typename T>
struct Columns {
  const T* y_true;
  const T* y_pred;
  int64_t stride;  // from a row to the next
  int64_t width;
  int64_t length;
};

// Narrow rows are taken several at a time, as one of about this width.
constexpr int64_t kRowWidth = 256;

inline int64_t rows_taken_as_one(int64_t stride, int64_t width, int64_t length) {
  return stride == width ? std::clamp<int64_t>(kRowWidth / width, 1, length) : 1;
}

// How many rows share a run of for_each_run: as many as make it long, unless the matrices are so
// many that the columns' entries would be more than the elements are worth.
inline int64_t rows_of_run(const Groups& of) {
  constexpr int64_t kMostEntries = int64_t{1} << 16;
  const int64_t repeat = rows_taken_as_one(of.inner, of.inner, of.length);
  return of.groups() * repeat <= kMostEntries ? repeat : 1;
}

// How a pass over columns takes the rows: `repeat` of them as one of `width` elements, and so many
// of these in each of some parts of fixed size, so that sums do not depend on the number of
// threads.
struct RowPasses {
  template <typename T>
  explicit RowPasses(const Columns<T>& columns)
      : repeat(rows_taken_as_one(columns.stride, columns.width, columns.length)),
        width(columns.width * repeat),
        rows((columns.length + repeat - 1) / repeat),
        rows_of_part(std::max(kTileRows, kPartElements / width)),
        parts((rows + rows_of_part - 1) / rows_of_part) {}

  // Rows whose sums are kept in the compute type.
  static constexpr int64_t kTileRows = 16;
  static constexpr int64_t kPartElements = int64_t{1} << 18;

  // body(y_true, y_pred, n) for the rows of a part; after every kTileRows of them, flush().
  template <typename T, typename Body, typename Flush>
  void for_each_row(const Columns<T>& columns, int64_t part, const Body& body,
                    const Flush& flush) const {
    const int64_t first = part * rows_of_part, last = std::min(first + rows_of_part, rows);
    for (int64_t row = first; row < last; ++row) {
      const int64_t at = row * repeat * columns.stride;
      body(columns.y_true + at, columns.y_pred + at,
           std::min(width, columns.length * columns.width - row * width));
      if ((row - first + 1) % kTileRows == 0 || row + 1 == last) flush();
    }
  }

  // body(part) for every part.
  template <typename Body>
  void for_each_part(Executor& executor, const Body& body) const {
    parallel_for(executor, parts, rows_of_part * width, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) body(part);
    });
  }

  int64_t repeat;
  int64_t width;
  int64_t rows;
  int64_t rows_of_part;
  int64_t parts;
};

// Sums of every element of a row, a few rows in the compute type and then in float64.
template <typename C>
class RowSums {
 public:
  explicit RowSums(int64_t width)
      : tile_(static_cast<size_t>(width)), total_(static_cast<size_t>(width)) {}

  C* tile() { return tile_.data(); }
  double operator[](size_t i) const { return total_[i]; }

  void flush() {
    for (size_t i = 0; i < tile_.size(); ++i) {
      total_[i] += static_cast<double>(tile_[i]);
      tile_[i] = C(0);
    }
  }

 private:
  std::vector<C> tile_;
  std::vector<double> total_;
};

}  // namespace tailops
