#pragma once

// What this build is made of and runs on, and the floors that benchmarks measure against. Needs no
// CUDA header.

#include <cstdint>
#include <string>

namespace tailops {
namespace cuda {

#define TAILOPS_EXPORT __attribute__((visibility("default")))

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
