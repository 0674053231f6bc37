// What a handler of XLA's typed FFI says about itself.

#include <cstdint>

#include "xla/ffi/api/c_api.h"

extern "C" uint32_t traits_of(XLA_FFI_Handler* handler) {
  XLA_FFI_Metadata metadata{};
  metadata.struct_size = XLA_FFI_Metadata_STRUCT_SIZE;
  XLA_FFI_Metadata_Extension extension{};
  extension.extension_base.struct_size = XLA_FFI_Metadata_Extension_STRUCT_SIZE;
  extension.extension_base.type = XLA_FFI_Extension_Metadata;
  extension.metadata = &metadata;
  XLA_FFI_CallFrame frame{};
  frame.struct_size = XLA_FFI_CallFrame_STRUCT_SIZE;
  frame.extension_start = &extension.extension_base;
  // Where it refuses, it wants an API that makes errors: there is none, and the test ends.
  handler(&frame);
  return metadata.traits;
}

extern "C" uint32_t compatible() { return XLA_FFI_HANDLER_TRAITS_COMMAND_BUFFER_COMPATIBLE; }
