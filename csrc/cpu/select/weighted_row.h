#pragma once

// A contiguous row whose elements count as often as their weights say, and some elements that are
// kept of one. Both are read a block at a time, in the type of the search.

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <type_traits>

#include "call/options.h"
#include "call/sample_plan.h"
#include "core/executor.h"
#include "core/growing_buffer.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/widen.h"
#include "cpu/select/row.h"
#include "cpu/simd/loops.h"
#include "formulas/whole_weights.h"

namespace tailops {

// How often an element counts; a NaN never does.
template <typename C, typename W>
int64_t copies_of(const WholeWeights& whole, C value, W weight) {
  return value == value ? whole.of(static_cast<double>(weight)) : 0;
}

template <typename T, typename W>
class WeightedRow {
 public:
  using C = SelectionType<T>;

  // `ignore_nan`: the weight of a NaN may be any. std::invalid_argument if a weight is none.
  WeightedRow(const T* x, const W* weights, int64_t length, bool ignore_nan, Executor& executor)
      : x_(x),
        weights_(weights),
        length_(length),
        ignore_nan_(ignore_nan),
        whole_(largest(executor), length) {}

  int64_t length() const { return length_; }
  int64_t blocks() const { return (length_ + kBlockLength - 1) / kBlockLength; }
  const WholeWeights& whole() const { return whole_; }

  // body(values, weights, n) for each of these blocks.
  template <typename Body>
  void for_each_block(int64_t first, int64_t end, const Body& body) const {
    C buffer[std::is_same_v<T, C> ? 1 : kBlockLength];
    for (int64_t block = first; block < end; ++block) {
      const int64_t begin = block * kBlockLength;
      const int64_t n = std::min(kBlockLength, length_ - begin);
      body(as_searched(begin, n, buffer), weights_ + begin, n);
    }
  }

  // A random element in each of `most` equal strata, the same ones at every call.
  template <typename Body>
  void draw(int64_t most, const Body& body) const {
    for (int64_t i = 0; i < most; ++i) {
      const int64_t at = SelectionPlan::stratified(i, most, length_);
      C buffer[1];
      body(*as_searched(at, 1, buffer), weights_[at]);
    }
  }

 private:
  const C* as_searched(int64_t begin, int64_t n, C* buffer) const {
    if constexpr (std::is_same_v<T, C>) {
      return x_ + begin;
    } else {
      return widened(x_ + begin, n, buffer);
    }
  }

  double largest(Executor& executor) const {
    struct Extent : WeightExtent {
      Extent& operator+=(const Extent& other) {
        largest = std::max(largest, other.largest);
        are_weights &= other.are_weights;
        return *this;
      }
    };
    const Extent all = block_sum<Extent>(
        length_, [&](int64_t begin, int64_t end) { return Extent{extent(begin, end)}; }, executor);
    if (!all.are_weights) throw_no_weight();
    return all.largest;
  }

  WeightExtent extent(int64_t begin, int64_t end) const {
    const Loops<W>& loops = loops_of<W>(0);
    if (!ignore_nan_) return loops.weight_extent(weights_ + begin, end - begin);
    C buffer[std::is_same_v<T, C> ? 1 : kBlockLength];
    W counted[kBlockLength];
    const C* const values = as_searched(begin, end - begin, buffer);
    for (int64_t i = 0; i < end - begin; ++i) {
      counted[i] = values[i] == values[i] ? weights_[begin + i] : W(0);
    }
    return loops.weight_extent(counted, end - begin);
  }

  [[noreturn]] void throw_no_weight() const {
    W wrong = W(0);
    for_each_block(0, blocks(), [&](const C* values, const W* weights, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        const bool counts = !ignore_nan_ || values[i] == values[i];
        if (counts && !is_weight(static_cast<double>(weights[i]))) wrong = weights[i];
      }
    });
    throw std::invalid_argument("weights: must be finite and at least 0, and one is " +
                                in_decimal(static_cast<double>(wrong)));
  }

  const T* x_;
  const W* weights_;
  const int64_t length_;
  const bool ignore_nan_;
  const WholeWeights whole_;
};

// Side by side, of a row by whose largest weight they are whole.
template <typename C, typename W>
struct WeightedElements {
  GrowingBuffer<C> values;
  GrowingBuffer<W> weights;

  int64_t length() const { return values.size(); }
  int64_t blocks() const { return (length() + kBlockLength - 1) / kBlockLength; }

  template <typename Body>
  void for_each_block(int64_t first, int64_t end, const Body& body) const {
    const int64_t begin = first * kBlockLength, last = std::min(end * kBlockLength, length());
    if (begin < last) body(values.data() + begin, weights.data() + begin, last - begin);
  }

  void reserve_more(int64_t more) {
    values.reserve_more(more);
    weights.reserve_more(more);
  }

  // Where there is room.
  void add(C value, W weight) {
    values.data()[length()] = value;
    weights.data()[length()] = weight;
    set_size(length() + 1);
  }

  void append(const WeightedElements& more) {
    values.append(more.values.data(), more.length());
    weights.append(more.weights.data(), more.length());
  }

  void set_size(int64_t size) {
    values.set_size(size);
    weights.set_size(size);
  }
};

}  // namespace tailops
