#pragma once

// Where the groups of a tensor lie, for every call and on every device.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/host_device.h"

namespace tailops {

// Element (o, k, i) lies at (o·length + k)·inner + i and belongs to group o·inner + i.
struct Groups {
  int64_t outer = 1;
  int64_t length = 0;
  int64_t inner = 1;

  TAILOPS_HOST_DEVICE int64_t groups() const { return outer * inner; }
  TAILOPS_HOST_DEVICE int64_t size() const { return outer * length * inner; }

  // Position of a group's first element; its k-th lies k·inner further.
  TAILOPS_HOST_DEVICE int64_t first_of(int64_t group) const {
    return inner == 1 ? group * length : group / inner * inner * length + group % inner;
  }

  TAILOPS_HOST_DEVICE int64_t group_of(int64_t flat) const {
    return inner == 1 ? flat / length : flat / (length * inner) * inner + flat % inner;
  }
};

// The groups along an axis; no axis: one group. std::invalid_argument, which calls the tensor by
// this name, if there is no such axis.
Groups groups_along(const std::vector<int64_t>& shape, std::optional<int64_t> axis,
                    const std::string& tensor);

// The shape without the axis, which is in range; of one group, ().
std::vector<int64_t> shape_of_groups(const std::vector<int64_t>& shape,
                                     std::optional<int64_t> axis);

int64_t size_of(const std::vector<int64_t>& shape);

std::string to_string(const std::vector<int64_t>& shape);

}  // namespace tailops
