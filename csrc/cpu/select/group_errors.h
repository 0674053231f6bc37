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

  // Of those of elements [begin, end) that are not ignored. Returns how many they are.
  int64_t write(int64_t begin, int64_t end, C* errors) const {
    int64_t valid = 0;
    group.for_each_valid(begin, end, [&](const Piece<T>& piece) {
      loops.errors(piece.y_true, piece.y_pred, piece.length, parameters, errors + valid);
      valid += piece.length;
    });
    return valid;
  }

  int64_t length() const { return group.length; }
  int64_t blocks() const { return (group.length + kBlockLength - 1) / kBlockLength; }

  const Group<T>& group;
  const Loops<T>& loops;
  const LossParameters<C>& parameters;
};

}  // namespace tailops
