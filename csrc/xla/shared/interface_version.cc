// Which version of XLA's typed FFI this library is built for: JAX has to have it or a later one.

#include "xla/ffi/api/c_api.h"

extern "C" {
__attribute__((visibility("default"))) extern const int tailops_interface_version[2] = {
    XLA_FFI_API_MAJOR, XLA_FFI_API_MINOR};
}
