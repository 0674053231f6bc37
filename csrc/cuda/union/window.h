#pragma once

// What cpu/union/window.h is for the CPU, on an NVIDIA GPU. Needs no CUDA header.

#include "cuda/loss/tail_loss.h"
#include "formulas/window.h"

namespace tailops {
namespace cuda {

// All pointers are to device memory.
template <typename T>
TAILOPS_EXPORT void remember(const Inputs<T>& batch, const Geometry& geometry,
                             const Options& options, const Window<const ComputeType<T>>& before,
                             bool frozen, const Window<ComputeType<T>>& after, void* stream);

}  // namespace cuda
}  // namespace tailops
