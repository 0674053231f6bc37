#pragma once

#include "cuda/device/plan.h"

namespace tailops {
namespace cuda {

// The parts of the workspace, behind a pointer that may be null as long as only sizes are asked.
class Workspace {
 public:
  explicit Workspace(void* base) : base_(static_cast<char*>(base)) {}

  template <typename Value>
  Value* add(int64_t count) {
    const int64_t at = layout_.add(count, sizeof(Value));
    return base_ == nullptr ? nullptr : reinterpret_cast<Value*>(base_ + at);
  }
  int64_t bytes() const { return layout_.bytes(); }

 private:
  char* base_;
  Layout layout_;
};

}  // namespace cuda
}  // namespace tailops
