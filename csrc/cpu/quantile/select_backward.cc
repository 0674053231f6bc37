#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/pass/group.h"
#include "cpu/pass/widen.h"
#include "cpu/quantile/quantile.h"

namespace tailops {
namespace {

template <typename T>
class SelectBackward {
 public:
  using C = ComputeType<T>;

  SelectBackward(const T* upstream, const T* x, const SelectionState* state,
                 const SelectionGeometry& geometry, int64_t q_count, T* gradient)
      : upstream_(upstream),
        x_(x),
        state_(state),
        geometry_(geometry),
        q_count_(q_count),
        gradient_(gradient) {}

  void run(Executor& executor) const {
    if (geometry_.inner > 1) return run_columns(executor);
    const int64_t length = geometry_.length;
    const int64_t blocks = (length + kBlockLength - 1) / kBlockLength;
    parallel_for(executor, geometry_.groups() * blocks, std::min(length, kBlockLength),
                 [&](int64_t begin, int64_t end) {
                   Shares shares;
                   for (int64_t at = begin; at < end; ++at) {
                     const int64_t group = at / blocks, first = at % blocks * kBlockLength;
                     if (at == begin || first == 0) shares = shares_of(group);
                     write(group * length + first, std::min(kBlockLength, length - first), shares);
                   }
                 });
  }

 private:
  // What elements equal to `value` get, and what all of a group get: 0, or NaN.
  struct Shares {
    std::vector<std::pair<C, C>> of_value;
    C of_all = C(0);
  };

  Shares shares_of(int64_t group) const {
    Shares shares;
    for (int64_t i = 0; i < q_count_; ++i) {
      const double arriving = static_cast<double>(widen(upstream_[i * geometry_.groups() + group]));
      const auto of_q = selection_shares<C>(state_[group * q_count_ + i], arriving);
      shares.of_all += of_q.of_all;
      if (of_q.lower_share != C(0)) shares.of_value.emplace_back(of_q.lower, of_q.lower_share);
      if (of_q.upper_share != C(0)) shares.of_value.emplace_back(of_q.upper, of_q.upper_share);
    }
    return shares;
  }

  void write(int64_t first, int64_t n, const Shares& shares) const {
    C buffer[std::is_same_v<T, C> ? 1 : kBlockLength];
    C sums[kBlockLength];
    const C* const values = widened(x_ + first, n, buffer);
    std::fill(sums, sums + n, shares.of_all);
    for (const auto& [value, share] : shares.of_value) {
      const C at = value, more = share;
      for (int64_t k = 0; k < n; ++k) sums[k] += values[k] == at ? more : C(0);
    }
    store(sums, n, gradient_ + first);
  }

  // Rows of the matrix, each element with the shares of its column.
  void run_columns(Executor& executor) const {
    const int64_t inner = geometry_.inner, groups = geometry_.groups();
    const int64_t pairs = 2 * q_count_;
    std::vector<C> value(static_cast<size_t>(pairs * groups)), share(value), all(groups_size());
    for (int64_t g = 0; g < groups; ++g) {
      const Shares shares = shares_of(g);
      all[static_cast<size_t>(g)] = shares.of_all;
      for (size_t p = 0; p < shares.of_value.size(); ++p) {
        const size_t place = p * groups_size() + static_cast<size_t>(g);
        std::tie(value[place], share[place]) = shares.of_value[p];
      }
    }
    parallel_for(executor, geometry_.outer * geometry_.length, inner,
                 [&](int64_t begin, int64_t end) {
                   std::vector<C> buffer(static_cast<size_t>(inner)), sums(buffer);
                   for (int64_t r = begin; r < end; ++r) {
                     const int64_t group = r / geometry_.length * inner;
                     const C* const x = widened(x_ + r * inner, inner, buffer.data());
                     std::copy_n(&all[static_cast<size_t>(group)], inner, sums.data());
                     for (int64_t p = 0; p < pairs; ++p) {
                       const C* const at = &value[static_cast<size_t>(p * groups + group)];
                       const C* const more = &share[static_cast<size_t>(p * groups + group)];
                       C* const sum = sums.data();
                       for (int64_t i = 0; i < inner; ++i) sum[i] += x[i] == at[i] ? more[i] : C(0);
                     }
                     store(sums.data(), inner, gradient_ + r * inner);
                   }
                 });
  }

  size_t groups_size() const { return static_cast<size_t>(geometry_.groups()); }

  static void store(const C* from, int64_t n, T* to) {
    for (int64_t i = 0; i < n; ++i) to[i] = narrow<T>(static_cast<double>(from[i]));
  }

  const T* upstream_;
  const T* x_;
  const SelectionState* state_;
  const Groups& geometry_;
  const int64_t q_count_;
  T* gradient_;
};

}  // namespace

template <typename T>
void select_backward(const T* upstream, const T* x, const SelectionState* state,
                     const SelectionGeometry& geometry, int64_t q_count, T* gradient,
                     Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  if (geometry.size() == 0) return;
  SelectBackward<T>(upstream, x, state, geometry, q_count, gradient).run(executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                        \
  template void select_backward(const T*, const T*, const SelectionState*, \
                                const SelectionGeometry&, int64_t, T*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
