#include "call/geometry.h"

#include <iterator>
#include <stdexcept>

namespace tailops {

std::vector<std::string> reduction_names() {
  return {std::begin(kReductionNames), std::end(kReductionNames)};
}

Geometry make_geometry(const std::vector<int64_t>& shape, std::optional<int64_t> axis,
                       Reduction reduction) {
  const int64_t rank = static_cast<int64_t>(shape.size());
  const int64_t size = size_of(shape);
  if (size == 0) {
    throw std::invalid_argument("y_pred of shape " + to_string(shape) +
                                " is empty: a percentile needs at least one element");
  }

  Geometry geometry;
  static_cast<Groups&>(geometry) = groups_along(shape, axis, "y_pred");
  const int64_t sample = rank < 2 ? 1 : shape.back();
  switch (reduction) {
    case Reduction::kNone:
      geometry.output_shape = shape;
      break;
    case Reduction::kPerSample:
      geometry.row_length = geometry.sample_length = sample;
      geometry.mean_factor = 1.0 / static_cast<double>(sample);
      geometry.output_shape = shape;
      if (rank >= 2) geometry.output_shape.pop_back();
      break;
    case Reduction::kMean:
      geometry.row_length = geometry.sample_length = size;
      geometry.mean_factor = 1.0 / static_cast<double>(size);
      break;
    case Reduction::kSum:
      geometry.row_length = size;
      geometry.sample_length = sample;
      geometry.mean_factor = 1.0 / static_cast<double>(sample);
      break;
  }
  return geometry;
}

Geometry batched(Geometry slice, const std::vector<int64_t>& sizes) {
  slice.outer *= size_of(sizes);
  slice.output_shape.insert(slice.output_shape.begin(), sizes.begin(), sizes.end());
  return slice;
}

void require_same_shape(const std::vector<int64_t>& y_true, const std::vector<int64_t>& y_pred) {
  if (y_true == y_pred) return;
  throw std::invalid_argument("y_true of shape " + to_string(y_true) + " and y_pred of shape " +
                              to_string(y_pred) +
                              " must have the same shape: nothing is broadcast");
}

void require_one(const char* argument, int64_t given) {
  if (given == 1) return;
  throw std::invalid_argument(std::string(argument) + " is given " + std::to_string(given) +
                              " times: at most one is allowed");
}

void require_shape(const char* argument, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& required) {
  if (shape == required) return;
  throw std::invalid_argument(std::string(argument) + " of shape " + to_string(shape) +
                              " must have the shape " + to_string(required));
}

}  // namespace tailops
