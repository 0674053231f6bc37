#pragma once

// Range means on an NVIDIA GPU: what cpu/range_mean/range_mean.h is for the CPU, plus a stream and
// a workspace; all that cuda/loss/tail_loss.h says of those is so here too. Needs no CUDA header.
//
// T is float, double, Float16 or BFloat16.

#include <cstdint>

#include "call/range_mean.h"
#include "call/weights.h"
#include "cuda/device/info.h"

namespace tailops {
namespace cuda {

// The bounds of a call, in the host's memory, read before the call returns, or in the device's.
// Those of the host are checked by whoever calls, with require_range. On the device, and wherever
// only the number of valid elements tells that there is no such range, mean and gradient of the
// group are NaN.
struct Bounds {
  const RangeBounds* on_host;  // one of both is null
  const RangeBounds* on_device;
};

// Bytes that range_mean_forward needs, aligned to 256; of weights, only whether there are any is
// looked at. range_mean_backward needs none.
template <typename T>
TAILOPS_EXPORT int64_t range_mean_workspace(const SelectionGeometry& geometry,
                                            const RangeOptions& options, const Weights& weights);

// mean[groups], state[groups]. Where a weight of a group is none, its mean is NaN, with its
// gradient.
template <typename T>
TAILOPS_EXPORT void range_mean_forward(const T* values, const bool* mask, const Weights& weights,
                                       const SelectionGeometry& geometry,
                                       const RangeOptions& options, const Bounds& bounds, T* mean,
                                       RangeState* state, void* workspace, void* stream);

// gradient[geometry.size()] = ∂/∂values of Σ upstream·mean. It may be written over `values`.
template <typename T>
TAILOPS_EXPORT void range_mean_backward(const T* upstream, const T* values, const bool* mask,
                                        const RangeState* state, const SelectionGeometry& geometry,
                                        T* gradient, void* stream);

}  // namespace cuda
}  // namespace tailops
