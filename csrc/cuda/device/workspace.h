#pragma once

#include "cuda/device/layout.h"

namespace tailops {
namespace cuda {

// The parts of the workspace, behind a pointer that may be null as long as only sizes are asked.
class Workspace {
 public:
  explicit Workspace(void* base) : base_(static_cast<char*>(base)) {}

  template <typename Value>
  Value* add(int64_t count) {
    const Array at = layout_.add(count, sizeof(Value));
    return base_ == nullptr ? nullptr : at.in<Value>(base_);
  }
  int64_t bytes() const { return layout_.bytes(); }

 private:
  char* base_;
  Layout layout_;
};

}  // namespace cuda
}  // namespace tailops
