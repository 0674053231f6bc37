#pragma once

// Selection on an NVIDIA GPU: what cpu/quantile/quantile.h is for the CPU, plus a stream and a
// workspace; all that cuda/loss/tail_loss.h says of those is so here too. Needs no CUDA header.
//
// T is float, double, Float16 or BFloat16; forward only, any integer up to 64 bits too.

#include <cstdint>

#include "call/quantile.h"
#include "call/weights.h"
#include "cuda/device/info.h"
#include "formulas/quantile_state.h"

namespace tailops {
namespace cuda {

// The q of a call, in the host's memory, read before the call returns, or in the device's. Those of
// the host are checked by whoever calls, with require_selectable. On the device a q out of range
// makes the value NaN, with its gradient; of integers, it is taken for the nearest rank.
struct Quantiles {
  const double* on_host;  // one of both is null
  const double* on_device;
  int64_t count;
};

// Bytes that select_forward needs, aligned to 256. Of q and weights, the addresses are not looked
// at, but for which is null. select_backward needs none.
template <typename T>
TAILOPS_EXPORT int64_t selection_workspace(const SelectionGeometry& geometry,
                                           const SelectionOptions& options, const Quantiles& q,
                                           const Weights& weights);

// value[q.count · groups], state[groups · q.count]. Where a weight of a group is none, or all of
// them are 0, its values are NaN, with their gradient; of integers, they are those without weights.
template <typename T>
TAILOPS_EXPORT void select_forward(const T* x, const Weights& weights,
                                   const SelectionGeometry& geometry,
                                   const SelectionOptions& options, const Quantiles& q, T* value,
                                   SelectionState* state, void* workspace, void* stream);

// gradient[geometry.size()] = ∂/∂x of Σ upstream·value; upstream is like value. It may be written
// over x.
template <typename T>
TAILOPS_EXPORT void select_backward(const T* upstream, const T* x, const SelectionState* state,
                                    const SelectionGeometry& geometry, int64_t q_count, T* gradient,
                                    void* stream);

}  // namespace cuda
}  // namespace tailops
