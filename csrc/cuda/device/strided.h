#pragma once

// The elements of a group that lies strided in memory.

#include "cuda/device/device.h"

namespace tailops {
namespace cuda {

// body(k, value, valid) for every step-th element of a group from the first on, with several loads
// in flight. Of: Elements of the loss, or Values.
template <int kLoads, typename Of, typename Body>
TAILOPS_DEVICE void for_each_strided(const Of& group, int64_t first, int64_t step,
                                     const Body& body) {
  for (int64_t begin = first; begin < group.length; begin += kLoads * step) {
    typename Of::Value values[kLoads];
    bool valid[kLoads];
    TAILOPS_UNROLL
    for (int i = 0; i < kLoads; ++i) {
      if (begin + i * step < group.length) valid[i] = group.load(begin + i * step, values[i]);
    }
    TAILOPS_UNROLL
    for (int i = 0; i < kLoads; ++i) {
      if (begin + i * step < group.length) body(begin + i * step, values[i], valid[i]);
    }
  }
}

}  // namespace cuda
}  // namespace tailops
