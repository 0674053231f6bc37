#pragma once

// The workspace: arrays laid out one behind the other, known before there is any memory.

#include <cstdint>

#include "cuda/device/ceiling.h"

namespace tailops {
namespace cuda {

// The workspace begins at a multiple of this, and so does every array in it.
constexpr int64_t kAlignment = 256;

// Where an array lies; of no bytes: there is none.
struct Array {
  int64_t offset = 0;
  int64_t bytes = 0;

  bool exists() const { return bytes != 0; }

  template <typename Value>
  Value* in(void* workspace) const {
    return exists() ? reinterpret_cast<Value*>(static_cast<char*>(workspace) + offset) : nullptr;
  }
};

class Layout {
 public:
  Array add(int64_t count, int64_t bytes_each) {
    const Array array{bytes_, count * bytes_each};
    bytes_ += ceiling(array.bytes, kAlignment) * kAlignment;
    return array;
  }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_ = 0;
};

}  // namespace cuda
}  // namespace tailops
