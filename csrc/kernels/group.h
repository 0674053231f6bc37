#pragma once

// The elements that share a threshold, wherever they lie, as contiguous pieces.

#include <algorithm>
#include <cstdint>
#include <vector>

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

template <typename T>
struct Group {
  const T* y_true;
  const T* y_pred;
  int64_t stride;
  int64_t length;

  // body(piece, first) for elements [begin, end), at most kBlockLength at a time.
  template <typename Body>
  void for_each_piece(int64_t begin, int64_t end, const Body& body) const {
    std::vector<T> gathered(stride == 1 ? 0 : 2 * std::min(kBlockLength, end - begin));
    for (int64_t first = begin; first < end; first += kBlockLength) {
      const int64_t n = std::min(kBlockLength, end - first);
      if (stride == 1) {
        body(Piece<T>{y_true + first, y_pred + first, n}, first);
        continue;
      }
      T* const t = gathered.data();
      T* const p = t + n;
      for (int64_t k = 0; k < n; ++k) {
        t[k] = y_true[(first + k) * stride];
        p[k] = y_pred[(first + k) * stride];
      }
      body(Piece<T>{t, p, n}, first);
    }
  }
};

}  // namespace tailops
