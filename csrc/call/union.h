#pragma once

// What the search through a union of shares is asked for, and how a share falls into groups. Unlike
// other tensors, a share may be empty: its groups are those of the other replicas all the same.

#include <cstdint>
#include <optional>
#include <vector>

#include "call/geometry.h"
#include "call/options.h"
#include "call/range_mean.h"
#include "formulas/union_search.h"

namespace tailops {

// A replica's part of a batch, and what is asked of it.
template <typename T>
struct LossShare {
  const T* y_true;
  const T* y_pred;
  const bool* mask;  // or null
  Geometry geometry;
  Options options;
};

template <typename T>
struct RangeShare {
  const T* values;
  const bool* mask;  // or null
  SelectionGeometry geometry;
};

// How many order statistics may have to be searched for, whatever the data.
int union_targets(const Options& options);
int union_targets(RangeKind kind);

// Of losses that are not reduced. std::invalid_argument if there is no such axis.
Geometry share_geometry(const std::vector<int64_t>& shape, std::optional<int64_t> axis);

// The same for values. std::invalid_argument if there is no such axis.
SelectionGeometry range_share_geometry(const std::vector<int64_t>& shape,
                                       std::optional<int64_t> axis);

// std::invalid_argument unless there is such a round for keys of so many bits.
void require_round(int64_t round, int key_bits);

// std::invalid_argument unless 1 or 2.
void require_targets(int64_t targets);

// std::invalid_argument unless a window of this shape can remember a batch that falls into groups
// like this.
void require_window(const std::vector<int64_t>& shape, const Groups& batch);

// std::invalid_argument if the counts of a round have fewer tables than so many targets may need.
void require_tables(const UnionRound& round, int targets);

}  // namespace tailops
