#pragma once

// A custom call's buffers and attributes as the kernels take them, checked. Whatever is wrong is
// thrown as std::invalid_argument.

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/attributes.h"
#include "kernels/float_types.h"
#include "kernels/tail_loss.h"
#include "xla/ffi/api/ffi.h"

namespace tailops {

struct Arguments {
  Options options;
  Geometry geometry;
  xla::ffi::DataType dtype;
};

Arguments read_arguments(const xla::ffi::AnyBuffer& y_true, const xla::ffi::AnyBuffer& y_pred,
                         const xla::ffi::Dictionary& attributes);

// The buffer's data, if it has the dtype and the shape.
void* data_of(const char* name, const xla::ffi::AnyBuffer& buffer, xla::ffi::DataType dtype,
              const std::vector<int64_t>& shape);

// The mask's data, if there is one behind the other arguments; null if not.
const bool* mask_of(xla::ffi::RemainingArgs masks, const xla::ffi::AnyBuffer& y_pred);

// The data of a buffer of any dtype that holds the state of these groups.
GroupState* state_of(const xla::ffi::AnyBuffer& buffer, const Geometry& geometry);

std::string to_string(xla::ffi::DataType dtype);

// body(T{}) for the kernels' element type.
template <typename Body>
void with_type(xla::ffi::DataType dtype, const Body& body) {
  switch (dtype) {
    case xla::ffi::F32:
      return body(float{});
    case xla::ffi::F64:
      return body(double{});
    case xla::ffi::F16:
      return body(Float16{});
    case xla::ffi::BF16:
      return body(BFloat16{});
    default:
      throw std::invalid_argument("y_pred of dtype " + to_string(dtype) +
                                  ": must be one of F16, BF16, F32, F64");
  }
}

// What body throws, as the error that XLA hands to Python.
template <typename Body>
xla::ffi::Error error_if_thrown(const char* target, const Body& body) {
  using xla::ffi::Error;
  using xla::ffi::ErrorCode;
  const std::string caller = std::string(target) + ": ";
  try {
    body();
  } catch (const std::invalid_argument& problem) {
    return Error::InvalidArgument(caller + problem.what());
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kResourceExhausted, caller + "out of memory");
  } catch (const std::exception& problem) {
    return Error::Internal(caller + problem.what());
  }
  return Error::Success();
}

}  // namespace tailops
