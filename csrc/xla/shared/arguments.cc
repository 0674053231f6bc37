#include "xla/shared/arguments.h"

#include <sstream>

namespace tailops {

namespace ffi = xla::ffi;

std::vector<int64_t> shape_of(const ffi::AnyBuffer& buffer) {
  const auto dimensions = buffer.dimensions();
  return {dimensions.begin(), dimensions.end()};
}

std::string to_string(ffi::DataType dtype) {
  std::ostringstream name;
  name << dtype;
  return name.str();
}

void require_dtype(const char* name, const ffi::AnyBuffer& buffer, ffi::DataType dtype) {
  if (buffer.element_type() == dtype) return;
  throw std::invalid_argument(std::string(name) + " of dtype " + to_string(buffer.element_type()) +
                              ": must be " + to_string(dtype) + ", like the others");
}

void* bytes_of(const char* name, const ffi::AnyBuffer& buffer, size_t row, int64_t rows) {
  const size_t bytes = static_cast<size_t>(rows) * row;
  if (buffer.size_bytes() != bytes) {
    throw std::invalid_argument(std::string(name) + " of " + std::to_string(buffer.size_bytes()) +
                                " bytes: must have " + std::to_string(bytes) + ", " +
                                std::to_string(row) + " for each of " + std::to_string(rows) +
                                " rows");
  }
  return buffer.untyped_data();
}

ffi::AnyBuffer buffer_of(const char* name, ffi::RemainingArgs others, size_t place) {
  const ffi::ErrorOr<ffi::AnyBuffer> buffer = others.get<ffi::AnyBuffer>(place);
  if (!buffer) throw std::invalid_argument(std::string(name) + ": " + buffer.error().message());
  return *buffer;
}

const bool* mask_of(ffi::RemainingArgs others, const std::vector<int64_t>& shape, size_t place) {
  if (others.size() == place) return nullptr;
  require_one("mask", static_cast<int64_t>(others.size() - place));
  const ffi::AnyBuffer mask = buffer_of("mask", others, place);
  if (mask.element_type() != ffi::PRED) {
    throw std::invalid_argument("mask of dtype " + to_string(mask.element_type()) +
                                ": must be PRED");
  }
  require_shape("mask", shape_of(mask), shape);
  return static_cast<const bool*>(mask.untyped_data());
}

Weights weights_of(ffi::RemainingArgs others, const std::vector<int64_t>& shape, size_t place) {
  if (others.size() == place) return {};
  require_one("weights", static_cast<int64_t>(others.size() - place));
  const ffi::AnyBuffer weights = buffer_of("weights", others, place);
  const ffi::DataType dtype = weights.element_type();
  const bool are_words = dtype == ffi::U32 || dtype == ffi::S32;
  if (dtype != ffi::F32 && dtype != ffi::F64 && !are_words) {
    throw std::invalid_argument("weights of dtype " + to_string(dtype) + ": must be F32 or F64");
  }
  std::vector<int64_t> expected = shape;
  if (are_words) expected.push_back(2);
  require_shape("weights", shape_of(weights), expected);
  return {weights.untyped_data(), dtype != ffi::F32};
}

void* data_of(const char* name, const ffi::AnyBuffer& buffer, ffi::DataType dtype,
              const std::vector<int64_t>& shape) {
  require_dtype(name, buffer, dtype);
  require_shape(name, shape_of(buffer), shape);
  return buffer.untyped_data();
}

}  // namespace tailops
