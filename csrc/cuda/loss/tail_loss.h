#pragma once

// The fused tail loss on an NVIDIA GPU: what tail_loss.h is for the CPU, plus a stream and a
// workspace. Needs no CUDA header.
//
// All pointers are to memory of the current device. Nothing waits: a call launches a few kernels,
// how many the shapes and options say, and returns. It can be captured in a CUDA graph. Every
// launch overwrites its workspace, which needs no preparation; calls that may overlap need one
// each. std::runtime_error if CUDA refuses.
//
// T is float, double, Float16 or BFloat16.

#include <cstdint>
#include <string>

#include "core/float_types.h"
#include "call/geometry.h"
#include "call/options.h"
#include "cpu/loss/tail_loss.h"

namespace tailops {
namespace cuda {

#define TAILOPS_EXPORT __attribute__((visibility("default")))

template <typename T>
struct Inputs {
  const T* y_true;
  const T* y_pred;
  const bool* mask;  // true: keep; none: keep all
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

// Loads every kernel of loss and selection onto the current device: before the first call that is
// captured, where the driver cannot load them during a capture.
TAILOPS_EXPORT void prepare();

// What is compiled in: "13.0", and for example "75 80 90".
TAILOPS_EXPORT std::string toolkit();
TAILOPS_EXPORT std::string architectures();

// How many GPUs there are; 0 without a driver.
TAILOPS_EXPORT int device_count();

// What no kernel can beat, for benchmarks: reading both, and reading both and writing one.
// `workspace` of read_two has at least 8 bytes.
TAILOPS_EXPORT void read_two(const float* a, const float* b, int64_t n, void* workspace,
                             void* stream);
TAILOPS_EXPORT void read_two_write_one(const float* a, const float* b, float* out, int64_t n,
                                       void* stream);

}  // namespace cuda
}  // namespace tailops
