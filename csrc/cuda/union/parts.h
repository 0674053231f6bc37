#pragma once

// Numbers in parts of int32, for frameworks that add up nothing wider: core/integer_parts.h on an
// NVIDIA GPU. Needs no CUDA header.

#include <cstdint>

#include "core/integer_parts.h"
#include "cuda/device/info.h"

namespace tailops {
namespace cuda {

// to[n]
TAILOPS_EXPORT void write_parts(const int64_t* counts, int64_t n, CountParts* to, void* stream);
TAILOPS_EXPORT void write_parts(const double* numbers, int64_t n, NumberParts* to, void* stream);
TAILOPS_EXPORT void read_parts(const CountParts* parts, int64_t n, int64_t* to, void* stream);
TAILOPS_EXPORT void read_parts(const NumberParts* parts, int64_t n, double* to, void* stream);

}  // namespace cuda
}  // namespace tailops
