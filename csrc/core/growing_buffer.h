#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace tailops {

// What is written a vector at a time may go so many elements beyond its end.
constexpr int64_t kSlack = 16;

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
  GrowingBuffer(const GrowingBuffer&) = delete;
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

// All that a thread keeps from one call to the next, of every purpose and type together.
constexpr int64_t kKeptScratchBytes = 4 << 20;

// A thread's buffers, as one list. What one of them is for, no other is used for at the same time.
class KeptBuffer {
 public:
  KeptBuffer() : next_(first()) { first() = this; }
  KeptBuffer(const KeptBuffer&) = delete;
  KeptBuffer& operator=(const KeptBuffer&) = delete;
  virtual ~KeptBuffer() = default;

  virtual int64_t bytes() const = 0;
  virtual void release() = 0;

  // Only while this thread is in no call.
  static void release_what_is_too_much() {
    int64_t kept = 0;
    for (KeptBuffer* buffer = first(); buffer != nullptr; buffer = buffer->next_) {
      if (kept + buffer->bytes() > kKeptScratchBytes) buffer->release();
      kept += buffer->bytes();
    }
  }

 private:
  static KeptBuffer*& first() {
    thread_local KeptBuffer* buffer = nullptr;
    return buffer;
  }

  KeptBuffer* const next_;
};

// Around whatever a thread does for a call: one inside the other, the outermost ends the use of
// scratch memory. Without one around a call, what it has in use would be released under it.
class ScratchScope {
 public:
  ScratchScope() { ++depth(); }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;
  ~ScratchScope() {
    if (--depth() == 0) KeptBuffer::release_what_is_too_much();
  }

 private:
  static int& depth() {
    thread_local int scopes = 0;
    return scopes;
  }
};

// A buffer of this thread's that is still there at the next call, within kKeptScratchBytes: its
// pages are touched once. The purpose keeps users apart who need one at the same time.
enum class Scratch {
  kSample,
  kCandidates,
  kBetween,
  kFew,
  kTargets,
  kPredictions,
  kMask,
  kResults,
  kColumnSample,
  kColumnValues,
};

template <typename C, Scratch kPurpose>
GrowingBuffer<C>& scratch() {
  struct Kept final : KeptBuffer {
    int64_t bytes() const override { return buffer.capacity() * static_cast<int64_t>(sizeof(C)); }
    void release() override { buffer = GrowingBuffer<C>(); }

    GrowingBuffer<C> buffer;
  };
  thread_local Kept kept;
  kept.buffer.set_size(0);
  return kept.buffer;
}

template <typename C, Scratch kPurpose>
C* scratch_of(int64_t n) {
  GrowingBuffer<C>& buffer = scratch<C, kPurpose>();
  buffer.reserve_more(n + kSlack);
  return buffer.data();
}

}  // namespace tailops
