#pragma once

// The parts of a search through the union of several replicas' shares that each replica does by
// itself. Between them the replicas add up what these write: counts, slopes, sums.
//
// T is float, double, Float16 or BFloat16.

#include <cstdint>

#include "call/geometry.h"
#include "call/options.h"
#include "call/range_mean.h"
#include "core/executor.h"
#include "core/float_types.h"
#include "core/ordered_bits.h"
#include "formulas/state.h"
#include "formulas/union_range.h"
#include "formulas/union_search.h"

namespace tailops {

// Bits of the keys that are searched.
template <typename T>
constexpr int kKeyBits = OrderedBits<ComputeType<T>>::kBits;

// counts[geometry.groups() · round.columns()]: of a share's errors, how often each digit of the
// round occurs; behind the first round, under the prefixes that `search` has found.
template <typename T>
void union_histogram(const T* y_true, const T* y_pred, const bool* mask, const Geometry& geometry,
                     const Options& options, const UnionRound& round, const UnionSearch* search,
                     int64_t* counts, Executor& executor);

// The search of each group after a round, from the counts of all shares together. `before`, which
// the first round does not read, may be `after`. The round has as many targets as union_targets()
// of call/union.h says.
void union_descend(const Options& options, const UnionRound& round, int64_t groups,
                   const int64_t* counts, const UnionSearch* before, UnionSearch* after);

// state[groups], from a search after its last round.
template <typename T>
void union_states(const Options& options, int64_t groups, const UnionSearch* search,
                  GroupState* state);

// union_descend for a range. std::invalid_argument if the union of a group has no such range.
void union_range_descend(RangeKind kind, const RangeBounds& bounds, const UnionRound& round,
                         int64_t groups, const int64_t* counts, const UnionSearch* before,
                         UnionSearch* after);

// sums[groups]: of a share's values, between the ends of the union.
template <typename T>
void union_range_sums(const T* values, const bool* mask, const SelectionGeometry& geometry,
                      RangeKind kind, const RangeBounds& bounds, const UnionSearch* search,
                      UnionRangeSums* sums, Executor& executor);

// mean[groups], state[groups], from the sums of all shares together.
template <typename T>
void union_range_mean(RangeKind kind, const RangeBounds& bounds, int64_t groups,
                      const UnionSearch* search, const UnionRangeSums* sums, T* mean,
                      RangeState* state);

}  // namespace tailops
