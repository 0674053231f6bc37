#pragma once

#include <cstdint>
#include <limits>

namespace tailops {

// e₍r₎ and, where interpolation asks for it, e₍r+1₎ (otherwise e₍r₎ again), each with the number
// of elements equal to it.
template <typename C>
struct OrderStatistics {
  C lower;
  C upper;
  int64_t lower_count;
  int64_t upper_count;
};

template <typename C>
OrderStatistics<C> nan_statistics() {
  const C nan = std::numeric_limits<C>::quiet_NaN();
  return {nan, nan, 1, 1};
}

}  // namespace tailops
