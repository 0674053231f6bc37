#pragma once

// A custom call's buffers and attributes, checked. Whatever is wrong is thrown as
// std::invalid_argument.

#include <stdexcept>
#include <string>
#include <vector>

#include "call/attributes.h"
#include "call/weights.h"
#include "core/element_types.h"
#include "core/thrown.h"
#include "xla/ffi/api/ffi.h"

namespace tailops {

std::string to_string(xla::ffi::DataType dtype);
std::vector<int64_t> shape_of(const xla::ffi::AnyBuffer& buffer);

// The buffer's data, if it has the bytes of so many rows.
void* bytes_of(const char* name, const xla::ffi::AnyBuffer& buffer, size_t row, int64_t rows);

// The buffer's data, if it has the dtype and the shape.
void* data_of(const char* name, const xla::ffi::AnyBuffer& buffer, xla::ffi::DataType dtype,
              const std::vector<int64_t>& shape);

// One of the arguments that need not be there.
xla::ffi::AnyBuffer buffer_of(const char* name, xla::ffi::RemainingArgs others, size_t place);

// The last of them, at this place: a mask of this shape, or null where nothing is.
const bool* mask_of(xla::ffi::RemainingArgs others, const std::vector<int64_t>& shape,
                    size_t place = 0);

// The same of weights, which are float32, float64, or two words each of a float64.
Weights weights_of(xla::ffi::RemainingArgs others, const std::vector<int64_t>& shape,
                   size_t place = 0);

// The data of a buffer of so many rows, of whatever dtype.
template <typename Row>
Row* rows_of(const char* name, const xla::ffi::AnyBuffer& buffer, int64_t rows) {
  return static_cast<Row*>(bytes_of(name, buffer, sizeof(Row), rows));
}

void require_dtype(const char* name, const xla::ffi::AnyBuffer& buffer, xla::ffi::DataType dtype);

// The attributes that XLA hands over with every execution.
class DictionaryReader final : public CallAttributeReader {
 public:
  explicit DictionaryReader(const xla::ffi::Dictionary& attributes) : attributes_(attributes) {}

  bool has(const char* name) const override { return attributes_.contains(name); }
  double number(const char* name) const override { return get<double>(name); }
  int64_t integer(const char* name) const override { return get<int64_t>(name); }

 private:
  template <typename T>
  T get(const char* name) const {
    const xla::ffi::ErrorOr<T> value = attributes_.get<T>(name);
    if (value) return *value;
    throw std::invalid_argument("attribute " + std::string(name) + ": " + value.error().message());
  }

  const xla::ffi::Dictionary& attributes_;
};

// body(T{}) for the kernels' element type.
template <typename Body>
void with_type(xla::ffi::DataType dtype, const Body& body) {
  std::string allowed;
#define TAILOPS_TRY(T, NAME, XLA)                         \
  if (dtype == xla::ffi::DataType::XLA) return body(T{}); \
  allowed += (allowed.empty() ? "" : ", ") + std::string(#XLA);
  TAILOPS_FLOATS(TAILOPS_TRY)
#undef TAILOPS_TRY
  throw std::invalid_argument("elements of dtype " + to_string(dtype) + ": must be one of " +
                              allowed);
}

// The same for what elements may be selected from.
template <typename Body>
void with_selectable_type(xla::ffi::DataType dtype, const Body& body) {
#define TAILOPS_TRY(T, NAME, XLA) \
  if (dtype == xla::ffi::DataType::XLA) return body(T{});
  TAILOPS_INTEGERS(TAILOPS_TRY)
#undef TAILOPS_TRY
  with_type(dtype, body);
}

// What body throws, as the error that XLA hands to Python. `input` is the buffer that says how much
// there is to do: for it memory has run out.
template <typename Body>
xla::ffi::Error error_if_thrown(const char* target, const xla::ffi::AnyBuffer& input,
                                const Body& body) {
  using xla::ffi::Error;
  using xla::ffi::ErrorCode;
  try {
    try {
      body();
      return Error::Success();
    } catch (...) {
      return report_thrown([&](Problem problem, const std::string& text) {
        const std::string caller = std::string(target) + ": ";
        switch (problem) {
          case Problem::kArgument:
            return Error::InvalidArgument(caller + text);
          case Problem::kMemory:
            return Error(ErrorCode::kResourceExhausted,
                         caller + "out of memory (" + text + ") for an input " +
                             to_string(input.element_type()) + to_string(shape_of(input)));
          default:
            return Error::Internal(caller + text);
        }
      });
    }
  } catch (...) {  // there was none for the message either: this one needs none
    return Error(ErrorCode::kResourceExhausted, "out of memory");
  }
}

}  // namespace tailops
