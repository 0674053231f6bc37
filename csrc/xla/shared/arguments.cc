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
                              ": must have that of y_pred, " + to_string(dtype));
}

void* data_of(const char* name, const ffi::AnyBuffer& buffer, ffi::DataType dtype,
              const std::vector<int64_t>& shape) {
  require_dtype(name, buffer, dtype);
  require_shape(name, shape_of(buffer), shape);
  return buffer.untyped_data();
}

}  // namespace tailops
