#include "call/groups.h"

#include <functional>
#include <numeric>
#include <stdexcept>

namespace tailops {
namespace {

using Size = std::vector<int64_t>::const_iterator;

int64_t product(Size begin, Size end) {
  return std::accumulate(begin, end, int64_t{1}, std::multiplies<int64_t>());
}

Size size_along(const std::vector<int64_t>& shape, int64_t axis) {
  return axis < 0 ? shape.end() + axis : shape.begin() + axis;
}

}  // namespace

int64_t size_of(const std::vector<int64_t>& shape) { return product(shape.begin(), shape.end()); }

std::string to_string(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

Groups groups_along(const std::vector<int64_t>& shape, std::optional<int64_t> axis,
                    const std::string& tensor) {
  if (!axis) return {1, size_of(shape), 1};
  const int64_t rank = static_cast<int64_t>(shape.size());
  if (*axis < -rank || *axis >= rank) {
    throw std::invalid_argument("axis=" + std::to_string(*axis) + ": must be in [" +
                                std::to_string(-rank) + ", " + std::to_string(rank) + ") for " +
                                tensor + " of shape " + to_string(shape));
  }
  const Size along = size_along(shape, *axis);
  return {product(shape.begin(), along), *along, product(along + 1, shape.end())};
}

std::vector<int64_t> shape_of_groups(const std::vector<int64_t>& shape,
                                     std::optional<int64_t> axis) {
  if (!axis) return {};
  const Size along = size_along(shape, *axis);
  std::vector<int64_t> groups(shape.begin(), along);
  groups.insert(groups.end(), along + 1, shape.end());
  return groups;
}

}  // namespace tailops
