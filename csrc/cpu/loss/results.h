#pragma once

// A result per element: the gradient, or the losses where nothing is added up. Of elements that are
// ignored it is zero, and where there are many they are written past the caches.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/streaming.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/pass/problem.h"

namespace tailops {

template <typename T>
class ElementResults {
 public:
  // `results` may be y_true or y_pred.
  ElementResults(const Problem<T>& problem, T* results)
      : problem_(problem), results_(results), streamed_(is_streamed(problem.geometry)) {}

  // body(begin, end) for all elements, by several threads, each with a copy of it.
  template <typename Body>
  void for_each_block(Executor& executor, const Body& body) const {
    const int64_t size = problem_.geometry.size();
    const int64_t blocks = (size + kBlockLength - 1) / kBlockLength;
    parallel_for(executor, blocks, kBlockLength, [&](int64_t first, int64_t last) {
      Body own = body;
      for (int64_t block = first; block < last; ++block) {
        own(block * kBlockLength, std::min(size, (block + 1) * kBlockLength));
      }
      if (streamed_) finish_streaming();
    });
  }

  // put(piece, flat, group, streamed, to) for each run of for_each_run.
  template <typename Put>
  void write(int64_t begin, int64_t end, const Put& put) const {
    for_each_run(problem_.geometry, begin, end, [&](int64_t flat, int64_t n, int64_t group) {
      const Elements<T> elements = problem_.elements.from(flat);
      int64_t ignored;
      const Piece<T> piece = with_zeros(elements, n, problem_.ignoring, ignored);
      if (ignored == 0) return put(piece, flat, group, streamed_, results_ + flat);
      T* const to = scratch_of<T, Scratch::kResults>(n);
      put(piece, flat, group, false, to);
      problem_.loops.clear(elements, n, problem_.ignoring.rule, to);
      copy(to, n, results_ + flat);
    });
  }

 private:
  // Short pieces share their first and last lines of memory: those are better off in the caches.
  static bool is_streamed(const Geometry& geometry) {
    constexpr int64_t kShortest = 512;
    const int64_t run =
        geometry.inner == 1 ? geometry.length : geometry.inner * rows_of_run(geometry);
    return run >= kShortest && geometry.size() * static_cast<int64_t>(sizeof(T)) >= kStreamedBytes;
  }

  void copy(const T* from, int64_t n, T* to) const {
    const size_t bytes = static_cast<size_t>(n) * sizeof(T);
    if (streamed_) return stream(to, from, bytes);
    memcpy(static_cast<void*>(to), from, bytes);
  }

  const Problem<T>& problem_;
  T* const results_;
  const bool streamed_;
};

}  // namespace tailops
