#pragma once

// TensorFlow's own table of XLA's typed FFI. Its C name, XLA_FFI_GetApi, is not exported by every
// one of its wheels.

#include "xla/ffi/api/c_api.h"

namespace xla::ffi {
const XLA_FFI_Api* GetXlaFfiApi();
}  // namespace xla::ffi
