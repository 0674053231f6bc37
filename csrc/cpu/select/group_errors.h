#pragma once

// The errors of a group: what its threshold is selected from.

#include <cstdint>

#include "cpu/pass/group.h"
#include "cpu/simd/loops.h"
#include "formulas/parameters.h"

namespace tailops {

template <typename T>
struct GroupErrors {
  using C = ComputeType<T>;

  // Of elements [begin, end). Returns how many of them are ignored, whose error is zero here.
  int64_t write(int64_t begin, int64_t end, C* errors) const {
    int64_t ignored = 0;
    group.for_each_piece(begin, end, [&](const Piece<T>& piece, int64_t first) {
      loops.errors(piece.y_true, piece.y_pred, piece.length, parameters, errors + (first - begin));
      ignored += piece.ignored;
    });
    return ignored;
  }

  int64_t length() const { return group.length; }
  int64_t blocks() const { return (group.length + kBlockLength - 1) / kBlockLength; }

  const Group<T>& group;
  const Loops<T>& loops;
  const LossParameters<C>& parameters;
};

}  // namespace tailops
