#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "call/options.h"
#include "core/element_types.h"

namespace tailops {

// body(T{}) for the element type of this NumPy dtype name.
template <typename Body>
void with_dtype(const std::string& dtype, const Body& body) {
#define TAILOPS_TRY(T, NAME, XLA) \
  if (dtype == #NAME) return body(T{});
  TAILOPS_FLOATS(TAILOPS_TRY)
#undef TAILOPS_TRY
#define TAILOPS_NAME(T, NAME, XLA) #NAME,
  index_of("dtype", dtype, {TAILOPS_FLOATS(TAILOPS_NAME)});  // there is none: throws
}

// The same for all that can be selected from.
template <typename Body>
void with_selectable_dtype(const std::string& dtype, const Body& body) {
#define TAILOPS_TRY(T, NAME, XLA) \
  if (dtype == #NAME) return body(T{});
  TAILOPS_INTEGERS(TAILOPS_TRY)
  TAILOPS_FLOATS(TAILOPS_TRY)
#undef TAILOPS_TRY
  index_of("dtype", dtype, {TAILOPS_INTEGERS(TAILOPS_NAME) TAILOPS_FLOATS(TAILOPS_NAME)});
#undef TAILOPS_NAME
}

}  // namespace tailops
