#include "cpu/loss/given_state.h"

#include <algorithm>
#include <vector>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/loss/backward/element_gradients.h"
#include "cpu/loss/backward/threshold_gradients.h"
#include "cpu/loss/forward/row_losses.h"
#include "cpu/pass/problem.h"
#include "formulas/ties.h"

namespace tailops {
namespace {

// One for each element, as it is.
template <typename T>
struct ElementUpstreams {
  const T* values;
  int64_t stride;

  Upstream<T> of(int64_t begin, int64_t /*end*/, std::vector<T>& /*spread*/) const {
    return {values + begin, true, 1.0};
  }

  Upstream<T> of_strided(int64_t first, int64_t n, std::vector<T>& spread) const {
    spread.resize(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; ++k) spread[static_cast<size_t>(k)] = values[first + k * stride];
    return {spread.data(), true, 1.0};
  }
};

}  // namespace

template <typename T>
void given_state_losses(const T* y_true, const T* y_pred, const bool* mask, const GroupState* state,
                        const Geometry& geometry, const Options& options, T* loss,
                        Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  if (geometry.size() == 0) return;
  const Problem<T> problem(y_true, y_pred, mask, geometry, options);
  RowLosses<T>(problem, state).write_elements(loss, executor);
}

template <typename T>
void given_state_slopes(const T* upstream, const T* y_true, const T* y_pred, const bool* mask,
                        const GroupState* state, const Geometry& geometry, const Options& options,
                        UnionSlopes* slopes, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  if (geometry.size() == 0) {
    std::fill_n(slopes, geometry.groups(), UnionSlopes{});
    return;
  }
  const Problem<T> problem(y_true, y_pred, mask, geometry, options);
  const ElementUpstreams<T> upstreams{upstream, geometry.inner};
  for_each_threshold_gradient(
      problem, state, upstreams, executor,
      [&](int64_t g, const ThresholdGradient& gradient) { slopes[g] = slopes_of(gradient); });
}

template <typename T>
void given_state_gradient(const T* upstream, const T* y_true, const T* y_pred, const bool* mask,
                          const GroupState* state, const UnionSlopes* slopes,
                          const Geometry& geometry, const Options& options, T* gradient,
                          Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  if (geometry.size() == 0) return;
  const Problem<T> problem(y_true, y_pred, mask, geometry, options);
  std::vector<Ties> ties(static_cast<size_t>(geometry.groups()));
  for (int64_t g = 0; g < geometry.groups(); ++g) {
    const UnionSlopes of_group = slopes == nullptr ? UnionSlopes{} : slopes[g];
    const ThresholdGradient by_threshold = threshold_gradient_of(of_group);
    ties[static_cast<size_t>(g)] = ties_of(state[g], by_threshold, problem.parameters);
  }
  const ElementUpstreams<T> upstreams{upstream, geometry.inner};
  write_gradients(problem, state, ties, upstreams, gradient, executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                             \
  template void given_state_losses<T>(const T*, const T*, const bool*, const GroupState*,       \
                                      const Geometry&, const Options&, T*, Executor&);          \
  template void given_state_slopes<T>(const T*, const T*, const T*, const bool*,                \
                                      const GroupState*, const Geometry&, const Options&,       \
                                      UnionSlopes*, Executor&);                                 \
  template void given_state_gradient<T>(const T*, const T*, const T*, const bool*,              \
                                        const GroupState*, const UnionSlopes*, const Geometry&, \
                                        const Options&, T*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
