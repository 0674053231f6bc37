#pragma once

// The elements that share a threshold, wherever they lie, as contiguous pieces.

#include <algorithm>
#include <cstdint>

#include "core/growing_buffer.h"
#include "cpu/simd/loops.h"

namespace tailops {

// Pieces, and the blocks of sums, have this many elements: what two inputs of it need fits any
// level-2 cache. Fixed, so that sums do not depend on the number of threads.
constexpr int64_t kBlockLength = 8192;

template <typename T>
struct Piece {
  const T* y_true;
  const T* y_pred;
  int64_t length;
  int64_t ignored;  // so many have been taken out: both inputs are zero there
};

// Which elements of a problem are ignored, and what finds them.
template <typename T>
struct Ignoring {
  const Loops<T>* loops;
  Ignore<ComputeType<T>> rule;
  bool any;
};

// A run of elements without those that are ignored, at most kBlockLength long.
template <typename T>
Piece<T> taken_out(const Elements<T>& elements, int64_t n, const Ignoring<T>& ignoring) {
  if (!ignoring.any) return {elements.y_true, elements.y_pred, n, 0};
  T* const t = scratch_of<T, Scratch::kTargets>(n);
  T* const p = scratch_of<T, Scratch::kPredictions>(n);
  const int64_t ignored = ignoring.loops->take_out(elements, n, ignoring.rule, t, p);
  return {t, p, n, ignored};
}

template <typename T>
struct Group {
  Elements<T> elements;
  int64_t stride;
  int64_t length;
  const Ignoring<T>& ignoring;

  // body(piece, first) for elements [begin, end), at most kBlockLength at a time.
  template <typename Body>
  void for_each_piece(int64_t begin, int64_t end, const Body& body) const {
    for (int64_t first = begin; first < end; first += kBlockLength) {
      const int64_t n = std::min(kBlockLength, end - first);
      body(taken_out(contiguous(first, n), n, ignoring), first);
    }
  }

  // Of elements [begin, end).
  int64_t count_ignored(int64_t begin, int64_t end) const {
    int64_t ignored = 0;
    if (!ignoring.any) return ignored;
    for (int64_t first = begin; first < end; first += kBlockLength) {
      const int64_t n = std::min(kBlockLength, end - first);
      ignored += ignoring.loops->count_ignored(contiguous(first, n), n, ignoring.rule);
    }
    return ignored;
  }

 private:
  Elements<T> contiguous(int64_t first, int64_t n) const {
    if (stride == 1) return elements.from(first);
    T* const t = scratch_of<T, Scratch::kTargets>(n);
    T* const p = scratch_of<T, Scratch::kPredictions>(n);
    bool* const kept = elements.mask == nullptr ? nullptr : scratch_of<bool, Scratch::kMask>(n);
    const Elements<T> from = elements.from(first * stride);
    for (int64_t k = 0; k < n; ++k) {
      t[k] = from.y_true[k * stride];
      p[k] = from.y_pred[k * stride];
      if (kept != nullptr) kept[k] = from.mask[k * stride];
    }
    return {t, p, kept};
  }
};

}  // namespace tailops
