#pragma once

// The search through a union of shares, and its range means, on an NVIDIA GPU: what
// cpu/union/union.h is for the CPU, plus a stream; all that cuda/loss/tail_loss.h says of its
// passes is so here too. The losses of a share are in cuda/loss/given_state.h. Needs no CUDA
// header.
//
// T is float, double, Float16 or BFloat16.

#include <cstdint>

#include "cuda/loss/tail_loss.h"
#include "cuda/range_mean/range_mean.h"
#include "formulas/union_range.h"
#include "formulas/union_search.h"

namespace tailops {
namespace cuda {

// counts[geometry.groups() · round.columns()].
template <typename T>
TAILOPS_EXPORT void union_histogram(const Inputs<T>& inputs, const Geometry& geometry,
                                    const Options& options, const UnionRound& round,
                                    const UnionSearch* search, int64_t* counts, void* stream);

// after[groups].
TAILOPS_EXPORT void union_descend(const Options& options, const UnionRound& round, int64_t groups,
                                  const int64_t* counts, const UnionSearch* before,
                                  UnionSearch* after, void* stream);

// state[groups].
template <typename T>
TAILOPS_EXPORT void union_states(const Options& options, int64_t groups, const UnionSearch* search,
                                 GroupState* state, void* stream);

// union_descend for a range. Where the union of a group has no such range, its mean will be NaN.
TAILOPS_EXPORT void union_range_descend(RangeKind kind, const Bounds& bounds,
                                        const UnionRound& round, int64_t groups,
                                        const int64_t* counts, const UnionSearch* before,
                                        UnionSearch* after, void* stream);

// Bytes that union_range_sums needs, aligned to 256.
template <typename T>
TAILOPS_EXPORT int64_t union_range_workspace(const SelectionGeometry& geometry);

// sums[groups].
template <typename T>
TAILOPS_EXPORT void union_range_sums(const T* values, const bool* mask,
                                     const SelectionGeometry& geometry, RangeKind kind,
                                     const Bounds& bounds, const UnionSearch* search,
                                     UnionRangeSums* sums, void* workspace, void* stream);

// mean[groups], state[groups].
template <typename T>
TAILOPS_EXPORT void union_range_mean(RangeKind kind, const Bounds& bounds, int64_t groups,
                                     const UnionSearch* search, const UnionRangeSums* sums, T* mean,
                                     RangeState* state, void* stream);

}  // namespace cuda
}  // namespace tailops
