#pragma once

// Turns a function of one element into what is done for all lanes of a mask.

#include "instructions/lanes.h"

namespace virtual_gpu {

template <typename T, auto kFunction>
void apply1(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [=](int lane) { to[lane] = put(kFunction(get<T>(a[lane]))); });
}

// The second operand may be of another type, as the count of a shift is.
template <typename T, auto kFunction, typename Second = T>
void apply2(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  const uint64_t* const b = warp.read(instruction.from[1]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask,
            [=](int lane) { to[lane] = put(kFunction(get<T>(a[lane]), get<Second>(b[lane]))); });
}

template <typename T, auto kFunction>
void apply3(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  const uint64_t* const b = warp.read(instruction.from[1]);
  const uint64_t* const c = warp.read(instruction.from[2]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [=](int lane) {
    to[lane] = put(kFunction(get<T>(a[lane]), get<T>(b[lane]), get<T>(c[lane])));
  });
}

// By the number of operands that the function has.
template <typename T, auto kFunction>
constexpr Execute apply() {
  if constexpr (requires(T a) { kFunction(a); }) {
    return apply1<T, kFunction>;
  } else if constexpr (requires(T a) { kFunction(a, a); }) {
    return apply2<T, kFunction>;
  } else {
    return apply3<T, kFunction>;
  }
}

}  // namespace virtual_gpu
