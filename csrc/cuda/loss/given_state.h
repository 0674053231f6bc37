#pragma once

// The tail loss of a share of a union on an NVIDIA GPU, with the state of all of it: what
// cpu/loss/given_state.h is for the CPU. All that tail_loss.h says of its passes is so here too.
// Needs no CUDA header.

#include <cstdint>

#include "cuda/loss/tail_loss.h"
#include "formulas/union_state.h"

namespace tailops {
namespace cuda {

// Bytes that given_state_slopes and given_state_gradient need, aligned to 256.
template <typename T>
TAILOPS_EXPORT int64_t given_state_workspace(const Geometry& geometry);

// loss[geometry.size()].
template <typename T>
TAILOPS_EXPORT void given_state_losses(const Inputs<T>& inputs, const GroupState* state,
                                       const Geometry& geometry, const Options& options, T* loss,
                                       void* stream);

// slopes[geometry.groups()]: what the share adds to those of the union.
template <typename T>
TAILOPS_EXPORT void given_state_slopes(const Inputs<T>& inputs, const T* upstream,
                                       const GroupState* state, const Geometry& geometry,
                                       const Options& options, UnionSlopes* slopes, void* workspace,
                                       void* stream);

// gradient[geometry.size()] by y_pred, which it may be written over, from the slopes of the union;
// null where the threshold is held constant.
template <typename T>
TAILOPS_EXPORT void given_state_gradient(const Inputs<T>& inputs, const T* upstream,
                                         const GroupState* state, const UnionSlopes* slopes,
                                         const Geometry& geometry, const Options& options,
                                         T* gradient, void* workspace, void* stream);

}  // namespace cuda
}  // namespace tailops
