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
};

// Which elements of a problem are ignored, and what finds them.
template <typename T>
struct Ignoring {
  const Loops<T>* loops;
  Ignore<ComputeType<T>> rule;
  bool any;
};

// Memory for a copy of both inputs: where they are one, so is the copy.
template <typename T>
struct Copies {
  Copies(const Elements<T>& of, int64_t n)
      : y_pred(scratch_of<T, Scratch::kPredictions>(n)),
        y_true(of.y_true == of.y_pred ? y_pred : scratch_of<T, Scratch::kTargets>(n)) {}

  T* const y_pred;
  T* const y_true;
};

// A run of at most kBlockLength elements. Of these two, the first leaves each where it is, with
// zeros for both inputs where it is ignored, and says how many are; the second has only those that
// are not ignored.
template <typename T>
Piece<T> with_zeros(const Elements<T>& elements, int64_t n, const Ignoring<T>& ignoring,
                    int64_t& ignored) {
  ignored = 0;
  if (!ignoring.any) return {elements.y_true, elements.y_pred, n};
  const Copies<T> copies(elements, n);
  ignored = ignoring.loops->zero_ignored(elements, n, ignoring.rule, copies.y_true, copies.y_pred);
  return {copies.y_true, copies.y_pred, n};
}

template <typename T>
Piece<T> valid_of(const Elements<T>& elements, int64_t n, const Ignoring<T>& ignoring) {
  if (!ignoring.any) return {elements.y_true, elements.y_pred, n};
  const Copies<T> copies(elements, n);
  const int64_t valid =
      ignoring.loops->keep_valid(elements, n, ignoring.rule, copies.y_true, copies.y_pred);
  return {copies.y_true, copies.y_pred, valid};
}

template <typename T>
struct Group {
  Elements<T> elements;
  int64_t stride;
  int64_t length;
  const Ignoring<T>& ignoring;

  // body(piece) for those of [begin, end) that are not ignored, at most kBlockLength at a time.
  template <typename Body>
  void for_each_valid(int64_t begin, int64_t end, const Body& body) const {
    for_each_block(begin, end, [&](const Elements<T>& block, int64_t n, int64_t) {
      body(valid_of(block, n, ignoring));
    });
  }

  // body(piece, first) for all of [begin, end), those that are ignored as zeros.
  template <typename Body>
  void for_each_piece(int64_t begin, int64_t end, const Body& body) const {
    for_each_block(begin, end, [&](const Elements<T>& block, int64_t n, int64_t first) {
      int64_t ignored;
      body(with_zeros(block, n, ignoring, ignored), first);
    });
  }

  // Of elements [begin, end).
  int64_t count_ignored(int64_t begin, int64_t end) const {
    int64_t ignored = 0;
    if (!ignoring.any) return ignored;
    for_each_block(begin, end, [&](const Elements<T>& block, int64_t n, int64_t) {
      ignored += ignoring.loops->count_ignored(block, n, ignoring.rule);
    });
    return ignored;
  }

 private:
  template <typename Body>
  void for_each_block(int64_t begin, int64_t end, const Body& body) const {
    for (int64_t first = begin; first < end; first += kBlockLength) {
      const int64_t n = std::min(kBlockLength, end - first);
      body(contiguous(first, n), n, first);
    }
  }

  Elements<T> contiguous(int64_t first, int64_t n) const {
    if (stride == 1) return elements.from(first);
    const Copies<T> to(elements, n);
    bool* const kept = elements.mask == nullptr ? nullptr : scratch_of<bool, Scratch::kMask>(n);
    const Elements<T> from = elements.from(first * stride);
    for (int64_t k = 0; k < n; ++k) {
      to.y_true[k] = from.y_true[k * stride];
      to.y_pred[k] = from.y_pred[k * stride];
      if (kept != nullptr) kept[k] = from.mask[k * stride];
    }
    return {to.y_true, to.y_pred, kept};
  }
};

}  // namespace tailops
