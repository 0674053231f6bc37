// csrc/xla/shared/scratch.h on an XLA that gives what XLA's FFI does: alignments of 16 and no
// larger ones, memory that is no more aligned than that, and no more bytes than it has. Prints what
// was wrong.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "xla/shared/scratch.h"

struct XLA_FFI_Error {
  std::string message;
};

namespace {

constexpr size_t kMostAlignment = 16, kMemory = 1 << 20;

std::map<void*, size_t> given;  // which is not freed yet, and where it is: 16 bytes off a multiple
int problems = 0;

void expect(bool right, const char* what) {
  if (right) return;
  std::printf("not so: %s\n", what);
  ++problems;
}

XLA_FFI_Error* allocate(XLA_FFI_DeviceMemory_Allocate_Args* args) {
  if (args->alignment > kMostAlignment) {
    return new XLA_FFI_Error{"Unsupported alignment: " + std::to_string(args->alignment)};
  }
  if (args->size > kMemory) return new XLA_FFI_Error{"the device has no such memory"};
  auto* const block = static_cast<char*>(std::aligned_alloc(256, (args->size + 511) / 256 * 256));
  args->data = block + kMostAlignment;
  given[args->data] = args->size;
  return nullptr;
}

XLA_FFI_Error* free_memory(XLA_FFI_DeviceMemory_Free_Args* args) {
  expect(given.count(args->data) == 1 && given[args->data] == args->size, "freed as it was given");
  given.erase(args->data);
  std::free(static_cast<char*>(args->data) - kMostAlignment);
  return nullptr;
}

void message(XLA_FFI_Error_GetMessage_Args* args) { args->message = args->error->message.c_str(); }
void destroy(XLA_FFI_Error_Destroy_Args* args) { delete args->error; }

XLA_FFI_Api api() {
  XLA_FFI_Api api{};
  api.XLA_FFI_DeviceMemory_Allocate = allocate;
  api.XLA_FFI_DeviceMemory_Free = free_memory;
  api.XLA_FFI_Error_GetMessage = message;
  api.XLA_FFI_Error_Destroy = destroy;
  return api;
}

// As a handler gets it.
tailops::WorkspaceAllocator scratch_of(const XLA_FFI_Api& api) {
  xla::ffi::DiagnosticEngine of_the_handler;
  return *xla::ffi::CtxDecoding<tailops::WorkspaceAllocator>::Decode(&api, nullptr, of_the_handler);
}

}  // namespace

int main() {
  const XLA_FFI_Api xla = api();
  for (const int64_t bytes : {1, 255, 256, 257, 100'000}) {
    tailops::WorkspaceAllocator scratch = scratch_of(xla);
    auto* const workspace = static_cast<char*>(scratch.allocate(bytes));
    expect(reinterpret_cast<uintptr_t>(workspace) % 256 == 0, "aligned");
    expect(given.size() == 1, "one allocation");
    for (const auto& [data, size] : given) {
      const auto* const begin = static_cast<const char*>(data);
      expect(begin <= workspace && workspace + bytes <= begin + size, "inside of what was given");
    }
    std::memset(workspace, 1, static_cast<size_t>(bytes));
  }
  expect(given.empty(), "all of it is freed with the call");
  tailops::WorkspaceAllocator scratch = scratch_of(xla);
  expect(scratch.allocate(0) == nullptr && given.empty(), "nothing for no bytes");
  try {
    scratch.allocate(kMemory + 1);
    expect(false, "a refusal is thrown");
  } catch (const std::bad_alloc& refusal) {
    std::printf("%s\n", refusal.what());
  }
  return problems;
}
