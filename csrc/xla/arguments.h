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

std::vector<int64_t> shape_of(const xla::ffi::AnyBuffer& buffer);

// The buffer's data, if it has the dtype and the shape.
void* data_of(const char* name, const xla::ffi::AnyBuffer& buffer, xla::ffi::DataType dtype,
              const std::vector<int64_t>& shape);

template <typename T>
T attribute(const xla::ffi::Dictionary& attributes, const std::string& name) {
  const xla::ffi::ErrorOr<T> value = attributes.get<T>(name);
  if (!value) throw std::invalid_argument("attribute " + name + ": " + value.error().message());
  return *value;
}

// What both passes of the tail loss are called with.
struct Arguments {
  Options options;
  Geometry geometry;
  xla::ffi::DataType dtype;
  const void* y_true;
  const void* y_pred;
  const bool* mask;  // null where there is none
};

struct ForwardArguments : Arguments {
  void* loss;
  GroupState* state;
};

struct BackwardArguments : Arguments {
  const void* upstream;
  const GroupState* state;
  void* gradient;
};

ForwardArguments forward_arguments(const xla::ffi::AnyBuffer& y_true,
                                   const xla::ffi::AnyBuffer& y_pred, xla::ffi::RemainingArgs masks,
                                   const xla::ffi::AnyBuffer& loss,
                                   const xla::ffi::AnyBuffer& state,
                                   const xla::ffi::Dictionary& attributes);

BackwardArguments backward_arguments(const xla::ffi::AnyBuffer& upstream,
                                     const xla::ffi::AnyBuffer& y_true,
                                     const xla::ffi::AnyBuffer& y_pred,
                                     const xla::ffi::AnyBuffer& state,
                                     xla::ffi::RemainingArgs masks,
                                     const xla::ffi::AnyBuffer& gradient,
                                     const xla::ffi::Dictionary& attributes);

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

// The same, unless there are no elements.
template <typename Body>
void with_elements(const Arguments& call, const Body& body) {
  if (call.geometry.size() != 0) with_type(call.dtype, body);
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
  } catch (const std::bad_alloc& problem) {
    return Error(ErrorCode::kResourceExhausted, caller + "out of memory: " + problem.what());
  } catch (const std::exception& problem) {
    return Error::Internal(caller + problem.what());
  }
  return Error::Success();
}

}  // namespace tailops
