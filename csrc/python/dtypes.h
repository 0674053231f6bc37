#pragma once

#include <cstdint>
#include <string>

#include "call/options.h"
#include "core/float_types.h"

namespace tailops {

// body(T{}) for the element type of this NumPy dtype name.
template <typename Body>
void with_dtype(const std::string& dtype, const Body& body) {
  switch (index_of("dtype", dtype, {"float32", "float64", "float16", "bfloat16"})) {
    case 0:
      return body(float{});
    case 1:
      return body(double{});
    case 2:
      return body(Float16{});
    default:
      return body(BFloat16{});
  }
}

// The same for all that can be selected from.
template <typename Body>
void with_selectable_dtype(const std::string& dtype, const Body& body) {
  switch (index_of("dtype", dtype,
                   {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                    "float32", "float64", "float16", "bfloat16"})) {
    case 0:
      return body(int8_t{});
    case 1:
      return body(int16_t{});
    case 2:
      return body(int32_t{});
    case 3:
      return body(int64_t{});
    case 4:
      return body(uint8_t{});
    case 5:
      return body(uint16_t{});
    case 6:
      return body(uint32_t{});
    case 7:
      return body(uint64_t{});
    default:
      return with_dtype(dtype, body);
  }
}

}  // namespace tailops
