#include <algorithm>
#include <vector>

#include "core/element_types.h"
#include "core/streaming.h"
#include "core/subnormals.h"
#include "cpu/pass/columns.h"
#include "cpu/pass/group.h"
#include "cpu/pass/widen.h"
#include "cpu/range_mean/range_mean.h"
#include "cpu/simd/loops.h"

namespace tailops {
namespace {

// The weights of columns, one array of each.
template <typename C>
class ColumnWeights {
 public:
  explicit ColumnWeights(int64_t width) : width_(width), all_(static_cast<size_t>(5 * width)) {}

  void set(int64_t i, const RangeWeights<C>& of) {
    const C numbers[] = {of.lower, of.upper, of.at_lower, of.at_upper, of.between};
    for (int64_t k = 0; k < 5; ++k) all_[static_cast<size_t>(k * width_ + i)] = numbers[k];
  }

  RangeWeights<const C*> from(int64_t i) const {
    const C* const at = all_.data() + i;
    return {at, at + width_, at + 2 * width_, at + 3 * width_, at + 4 * width_};
  }

 private:
  const int64_t width_;
  std::vector<C> all_;
};

template <typename T>
class RangeBackward {
 public:
  using C = ComputeType<T>;

  RangeBackward(const T* upstream, const T* values, const bool* mask, const RangeState* state,
                const Groups& groups, T* gradient)
      : upstream_(upstream),
        values_(values),
        mask_(mask),
        state_(state),
        groups_(groups),
        gradient_(gradient) {}

  void run(Executor& executor) const {
    if (groups_.inner > 1) return run_columns(executor);
    const int64_t length = groups_.length;
    for_each_piece(executor, groups_.groups(), length, [&](auto& pieces) {
      RangeWeights<C> weights{};
      pieces([&](int64_t group, bool is_new, int64_t first, int64_t n) {
        if (is_new) weights = weights_of(group);
        const int64_t at = group * length + first;
        loops_.range_gradient(values_ + at, mask_at(at), n, weights, is_streamed(n),
                              gradient_ + at);
      });
    });
  }

 private:
  // Rows of the matrices, each element with the weights of its column; narrow rows several at a
  // time.
  void run_columns(Executor& executor) const {
    const int64_t inner = groups_.inner;
    const int64_t repeat = rows_taken_as_one(inner, inner, groups_.length);
    const int64_t size = inner * groups_.length;
    for_each_piece(executor, groups_.outer, size, [&](auto& pieces) {
      ColumnWeights<C> weights(inner * repeat);
      pieces([&](int64_t matrix, bool is_new, int64_t first, int64_t n) {
        if (is_new) set(weights, matrix, repeat);
        for (int64_t k = first; k < first + n;) {
          const int64_t column = k % (inner * repeat);
          const int64_t count = std::min(inner * repeat - column, first + n - k);
          const int64_t at = matrix * size + k;
          loops_.range_column_gradient(values_ + at, mask_at(at), count, weights.from(column),
                                       is_streamed(count), gradient_ + at);
          k += count;
        }
      });
    });
  }

  // work(pieces) by each thread, where pieces(body) calls body(whole, is_new, first, n) for its
  // pieces of some contiguous wholes of equal size.
  template <typename Work>
  static void for_each_piece(Executor& executor, int64_t wholes, int64_t size, const Work& work) {
    const int64_t blocks = (size + kBlockLength - 1) / kBlockLength;
    parallel_for(executor, wholes * blocks, std::min(size, kBlockLength),
                 [&](int64_t begin, int64_t end) {
                   const auto pieces = [&](const auto& body) {
                     for (int64_t at = begin; at < end; ++at) {
                       const int64_t first = at % blocks * kBlockLength;
                       body(at / blocks, at == begin || first == 0, first,
                            std::min(kBlockLength, size - first));
                     }
                   };
                   work(pieces);
                   finish_streaming();
                 });
  }

  void set(ColumnWeights<C>& weights, int64_t matrix, int64_t repeat) const {
    const int64_t inner = groups_.inner;
    for (int64_t c = 0; c < inner; ++c) {
      const RangeWeights<C> of = weights_of(matrix * inner + c);
      for (int64_t r = 0; r < repeat; ++r) weights.set(r * inner + c, of);
    }
  }

  RangeWeights<C> weights_of(int64_t group) const {
    return range_weights<C>(state_[group], static_cast<double>(widen(upstream_[group])));
  }

  // Short pieces share their first and last lines of memory: those are better off in the caches.
  bool is_streamed(int64_t n) const {
    constexpr int64_t kShortest = 512;
    return n >= kShortest && groups_.size() * static_cast<int64_t>(sizeof(T)) >= kStreamedBytes;
  }

  const bool* mask_at(int64_t i) const { return mask_ == nullptr ? nullptr : mask_ + i; }

  const T* upstream_;
  const T* values_;
  const bool* mask_;
  const RangeState* state_;
  const Groups& groups_;
  T* gradient_;
  const Loops<T>& loops_ = loops_of<T>(0);
};

}  // namespace

template <typename T>
void range_mean_backward(const T* upstream, const T* values, const bool* mask,
                         const RangeState* state, const SelectionGeometry& geometry, T* gradient,
                         Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  if (geometry.size() == 0) return;
  RangeBackward<T>(upstream, values, mask, state, geometry, gradient).run(executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                     \
  template void range_mean_backward(const T*, const T*, const bool*, const RangeState*, \
                                    const SelectionGeometry&, T*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
