#pragma once

// Where the groups of a tensor lie.

#include "../host_device.h"
#include "device.h"

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

}  // namespace cuda
}  // namespace tailops
