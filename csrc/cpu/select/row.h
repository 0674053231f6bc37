#pragma once

// A contiguous row that elements are selected from: all that it has, those that a mask lets
// through, or those that are numbers. It is read a block at a time, in the type of the search, with
// what does not count left out.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "call/sample_plan.h"
#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/group.h"
#include "cpu/pass/widen.h"
#include "cpu/simd/loops.h"

namespace tailops {

// What ranks are searched in: floating-point numbers that hold every T exactly. None does for
// 64-bit integers.
template <typename T>
using SelectionType =
    std::conditional_t<std::is_integral_v<T>, std::conditional_t<sizeof(T) == 8, T, double>,
                       ComputeType<T>>;

template <typename T>
class Row {
 public:
  using C = SelectionType<T>;

  Row(const T* x, int64_t length) : x_(x), length_(length), count_(length) {}

  // Without a mask, all of it.
  Row(const T* x, const bool* mask, int64_t length, const Loops<T>& loops, Executor& executor)
      : Row(x, length) {
    if (mask == nullptr) return;
    mask_ = mask;
    loops_ = &loops;
    set_count(executor,
              [&](int64_t first, int64_t n) { return loops.count_true(mask + first, n); });
  }

  static Row of_numbers(const T* x, int64_t length, const Loops<T>& loops, Executor& executor) {
    Row row(x, length);
    row.loops_ = &loops;
    row.set_count(executor, [&](int64_t first, int64_t n) {
      int64_t numbers = 0;
      for (int64_t i = first; i < first + n; ++i) numbers += widen(x[i]) == widen(x[i]);
      return numbers;
    });
    return row;
  }

  const T* data() const { return x_; }
  int64_t length() const { return length_; }
  // Of those that count.
  int64_t count() const { return count_; }
  int64_t blocks() const { return (length_ + kBlockLength - 1) / kBlockLength; }

  // body(values, n) for each of these blocks.
  template <typename Body>
  void for_each_block(int64_t first, int64_t end, const Body& body) const {
    C buffer[kBlockLength + kSlack];
    for (int64_t block = first; block < end; ++block) {
      const int64_t begin = block * kBlockLength;
      const int64_t n = std::min(kBlockLength, length_ - begin);
      if (has_all()) {
        body(widened(x_ + begin, n, buffer), n);
      } else {
        body(static_cast<const C*>(buffer), take(begin, n, buffer));
      }
    }
  }

  // All that count, side by side; `buffer` is used where they do not lie so, and has kSlack more.
  const C* values(C* buffer) const {
    if (has_all()) return widened(x_, length_, buffer);
    int64_t taken = 0;
    for (int64_t begin = 0; begin < length_; begin += kBlockLength) {
      taken += take(begin, std::min(kBlockLength, length_ - begin), buffer + taken);
    }
    return buffer;
  }
  int64_t buffer_length() const { return has_all() && std::is_same_v<T, C> ? 0 : count_ + kSlack; }

  // A random element in each of `most` equal strata, the same ones at every call, of which those
  // that count are written to `sample`. How many these are.
  int64_t draw(int64_t most, C* sample) const {
    int64_t drawn = 0;
    for (int64_t i = 0; i < most; ++i) {
      const int64_t at = SelectionPlan::stratified(i, most, length_);
      C buffer[1];
      const C value = *widened(x_ + at, 1, buffer);
      if (!has_all() && !(mask_ == nullptr ? value == value : mask_[at])) continue;
      sample[drawn++] = value;
    }
    return drawn;
  }

 private:
  bool has_all() const { return count_ == length_; }

  template <typename CountOf>
  void set_count(Executor& executor, const CountOf& count_of) {
    const auto sum_of = [&](int64_t begin, int64_t end) { return count_of(begin, end - begin); };
    count_ = block_sum<int64_t>(length_, sum_of, executor);
  }

  int64_t take(int64_t begin, int64_t n, C* to) const {
    if constexpr (std::is_integral_v<T>) {
      return 0;  // of integers all count
    } else {
      const bool* const mask = mask_ == nullptr ? nullptr : mask_ + begin;
      return loops_->take_valid(x_ + begin, mask, n, to);
    }
  }

  const T* x_;
  const bool* mask_ = nullptr;
  const Loops<T>* loops_ = nullptr;
  int64_t length_;
  int64_t count_;
};

}  // namespace tailops
