#pragma once

// The fused tail loss on an NVIDIA GPU: what tail_loss.h is for the CPU, plus a stream and a
// workspace. Needs no CUDA header.
//
// All pointers are to memory of the current device. Neither pass waits: a call launches a few
// kernels, how many the shapes and options say, and returns. It can be captured in a CUDA graph.
// Every launch overwrites its workspace, which needs no preparation; calls that may overlap need
// one each. std::runtime_error if CUDA refuses.
//
// T is float, double, Float16 or BFloat16.

#include <cstdint>

#include "call/geometry.h"
#include "call/options.h"
#include "core/float_types.h"
#include "cuda/device/info.h"
#include "formulas/state.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Inputs {
  const T* y_true;
  const T* y_pred;
  const bool* mask;  // true: valid; none: all are
};

// Bytes that forward and backward need, aligned to 256. Of the inputs, only whether there is a mask
// is looked at.
template <typename T>
TAILOPS_EXPORT int64_t forward_workspace(const Inputs<T>& inputs, const Geometry& geometry,
                                         const Options& options);
template <typename T>
TAILOPS_EXPORT int64_t backward_workspace(const Inputs<T>& inputs, const Geometry& geometry,
                                          const Options& options);

// loss[geometry.rows()], state[geometry.groups()].
template <typename T>
TAILOPS_EXPORT void forward(const Inputs<T>& inputs, const Geometry& geometry,
                            const Options& options, T* loss, GroupState* state, void* workspace,
                            void* stream);

// gradient[geometry.size()] by y_pred; it may be written over y_true or y_pred.
template <typename T>
TAILOPS_EXPORT void backward(const Inputs<T>& inputs, const T* upstream, const GroupState* state,
                             const Geometry& geometry, const Options& options, T* gradient,
                             void* workspace, void* stream);

// What the device's memory holds, on the host: waits for the stream. The plan and the kernels'
// arguments are made of these numbers, and a wrong one is an error, which only the host can report.
TAILOPS_EXPORT StepNumbers step_numbers(const StepNumbers* on_device, void* stream);

}  // namespace cuda
}  // namespace tailops
