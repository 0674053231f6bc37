#pragma once

#include <cstdint>

// The integers that are selected from: APPLY(T) for each.
#define TAILOPS_INTEGERS(APPLY) \
  APPLY(int8_t)                 \
  APPLY(int16_t)                \
  APPLY(int32_t)                \
  APPLY(int64_t)                \
  APPLY(uint8_t)                \
  APPLY(uint16_t)               \
  APPLY(uint32_t)               \
  APPLY(uint64_t)
