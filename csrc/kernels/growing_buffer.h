#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "simd/loops.h"

namespace tailops {

// An array that grows without initialising what it adds.
template <typename C>
class GrowingBuffer {
 public:
  GrowingBuffer() = default;
  GrowingBuffer(GrowingBuffer&& other) noexcept { *this = std::move(other); }
  GrowingBuffer& operator=(GrowingBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  // What has been collected belongs to one owner; a copy of an empty one is an empty one.
  GrowingBuffer(const GrowingBuffer&) {}
  GrowingBuffer& operator=(const GrowingBuffer&) = delete;
  ~GrowingBuffer() { std::free(data_); }

  C* data() { return data_; }
  const C* data() const { return data_; }
  int64_t size() const { return size_; }
  int64_t capacity() const { return capacity_; }
  const C* begin() const { return data_; }
  const C* end() const { return data_ + size_; }

  void set_size(int64_t size) { size_ = size; }

  void append(const C* from, int64_t count) {
    reserve_more(count);
    std::copy(from, from + count, data_ + size_);
    size_ += count;
  }

  // Room for `more` beyond the present size.
  void reserve_more(int64_t more) {
    if (size_ + more <= capacity_) return;
    const int64_t wanted = size_ + more + (size_ + more) / 2;
    void* const grown = std::realloc(data_, static_cast<size_t>(wanted) * sizeof(C));
    if (grown == nullptr) throw std::bad_alloc();
    data_ = static_cast<C*>(grown);
    capacity_ = wanted;
  }

 private:
  C* data_ = nullptr;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
};

// A buffer of this thread's that is still there at the next call: its pages are touched once. The
// purpose keeps users apart who need one at the same time.
enum class Scratch {
  kSample,
  kCandidates,
  kBetween,
  kNarrowed,
  kTargets,
  kPredictions,
  kMask,
  kResults,
  kColumnSample,
  kColumnValues,
};

template <typename C, Scratch kPurpose>
GrowingBuffer<C>& scratch() {
  constexpr int64_t kKeptBytes = 4 << 20;
  thread_local GrowingBuffer<C> buffer;
  if (buffer.capacity() * static_cast<int64_t>(sizeof(C)) > kKeptBytes) {
    buffer = GrowingBuffer<C>();
  }
  buffer.set_size(0);
  return buffer;
}

template <typename C, Scratch kPurpose>
C* scratch_of(int64_t n) {
  GrowingBuffer<C>& buffer = scratch<C, kPurpose>();
  buffer.reserve_more(n + kSlack);
  return buffer.data();
}

}  // namespace tailops
