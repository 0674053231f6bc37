#pragma once

// The element types, and what NumPy and XLA call them: APPLY(type, name, XLA's name) for each.

#include <cstdint>

#include "core/float_types.h"

// clang-format off
#define TAILOPS_FLOATS(APPLY)     \
  APPLY(Float16, float16, F16)    \
  APPLY(BFloat16, bfloat16, BF16) \
  APPLY(float, float32, F32)      \
  APPLY(double, float64, F64)

// Those that are selected from.
#define TAILOPS_INTEGERS(APPLY) \
  APPLY(int8_t, int8, S8)       \
  APPLY(int16_t, int16, S16)    \
  APPLY(int32_t, int32, S32)    \
  APPLY(int64_t, int64, S64)    \
  APPLY(uint8_t, uint8, U8)     \
  APPLY(uint16_t, uint16, U16)  \
  APPLY(uint32_t, uint32, U32)  \
  APPLY(uint64_t, uint64, U64)
// clang-format on
