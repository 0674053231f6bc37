#pragma once

// Where the groups of a tensor lie.

#include "core/host_device.h"
#include "cuda/device/device.h"

namespace tailops {
namespace cuda {

// Element (o, k, i) lies at (o·length + k)·inner + i and belongs to group o·inner + i.
struct Groups {
  int64_t outer;
  int64_t length;
  int64_t inner;

  // Position of a group's first element.
  TAILOPS_DEVICE int64_t first_of(int64_t group) const {
    return inner == 1 ? group * length : group / inner * inner * length + group % inner;
  }

  TAILOPS_DEVICE int64_t group_of(int64_t flat) const {
    return inner == 1 ? flat / length : flat / (length * inner) * inner + flat % inner;
  }

  TAILOPS_HOST_DEVICE int64_t groups() const { return outer * inner; }
  TAILOPS_HOST_DEVICE int64_t size() const { return outer * length * inner; }
};

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
