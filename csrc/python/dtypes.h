#pragma once

#include <string>

#include "kernels/float_types.h"
#include "kernels/options.h"

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

}  // namespace tailops
