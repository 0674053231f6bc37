#pragma once

// Device memory for a call's workspace, from XLA.

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "cuda/device/layout.h"
#include "xla/ffi/api/ffi.h"

namespace tailops {

// XLA has refused: what it says.
class WorkspaceRefused : public std::bad_alloc {
 public:
  explicit WorkspaceRefused(std::string message)
      : message_(std::make_shared<std::string>(std::move(message))) {}
  const char* what() const noexcept override { return message_->c_str(); }

 private:
  std::shared_ptr<std::string> message_;
};

// XLA's allocator for as long as a call takes, with what it says where it refuses: it tells that to
// an engine that a handler does not see, so this one has its own.
class WorkspaceAllocator {
 public:
  WorkspaceAllocator(const XLA_FFI_Api* api, XLA_FFI_ExecutionContext* context)
      : said_(std::make_unique<xla::ffi::DiagnosticEngine>()),
        allocator_(*Decoding::Decode(api, context, *said_)) {}

  // As aligned as a workspace must be, or null for none.
  void* allocate(int64_t bytes) {
    if (bytes == 0) return nullptr;
    constexpr size_t kMostThatXlaGives = 16;  // it refuses a larger alignment, whatever the size
    const size_t size = static_cast<size_t>(bytes);
    size_t space = size + static_cast<size_t>(cuda::kAlignment) - kMostThatXlaGives;
    const std::optional<void*> memory = allocator_.Allocate(space, kMostThatXlaGives);
    if (!memory) {
      throw WorkspaceRefused("workspace of " + std::to_string(space) +
                             " bytes: " + said_->Result());
    }
    void* aligned = *memory;
    return std::align(static_cast<size_t>(cuda::kAlignment), size, aligned, space);
  }

 private:
  using Decoding = xla::ffi::CtxDecoding<xla::ffi::ScratchAllocator>;

  std::unique_ptr<xla::ffi::DiagnosticEngine> said_;  // outlives the allocator, which refers to it
  xla::ffi::ScratchAllocator allocator_;
};

}  // namespace tailops

template <>
struct xla::ffi::CtxDecoding<tailops::WorkspaceAllocator> {
  using Type = tailops::WorkspaceAllocator;

  static std::optional<Type> Decode(const XLA_FFI_Api* api, XLA_FFI_ExecutionContext* context,
                                    DiagnosticEngine&) {
    return Type(api, context);
  }
};
