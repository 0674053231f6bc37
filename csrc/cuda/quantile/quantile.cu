// Selection for one floating element type, TAILOPS_ELEMENT, or, without that, for all integers.

#include "core/element_types.h"
#include "cuda/device/limits_of_device.h"
#include "cuda/quantile/backward.h"
#include "cuda/quantile/forward.h"

namespace tailops {
namespace cuda {

template <typename T>
int64_t selection_workspace(const SelectionGeometry& geometry, const SelectionOptions& options,
                            const Quantiles& q, const Weights& weights) {
  return plan_select<T>(geometry, options, q, weights, limits_of_device()).workspace_bytes;
}

template <typename T>
void select_forward(const T* x, const Weights& weights, const SelectionGeometry& geometry,
                    const SelectionOptions& options, const Quantiles& q, T* value,
                    SelectionState* state, void* workspace, void* stream) {
  const SelectPlan plan = plan_select<T>(geometry, options, q, weights, limits_of_device());
  Select<T>(plan, geometry, options, q, weights, workspace, stream).run(x, value, state);
}

template <typename T>
void select_backward(const T* upstream, const T* x, const SelectionState* state,
                     const SelectionGeometry& geometry, int64_t q_count, T* gradient,
                     void* stream) {
  launch_selection_gradient(upstream, x, state, geometry, q_count, gradient, limits_of_device(),
                            stream);
}

#define TAILOPS_FORWARD(T, ...)                                                                \
  template int64_t selection_workspace<T>(const SelectionGeometry&, const SelectionOptions&,   \
                                          const Quantiles&, const Weights&);                   \
  template void select_forward(const T*, const Weights&, const SelectionGeometry&,             \
                               const SelectionOptions&, const Quantiles&, T*, SelectionState*, \
                               void*, void*);

#if defined(TAILOPS_ELEMENT)
TAILOPS_FORWARD(TAILOPS_ELEMENT)
template void select_backward(const TAILOPS_ELEMENT*, const TAILOPS_ELEMENT*, const SelectionState*,
                              const SelectionGeometry&, int64_t, TAILOPS_ELEMENT*, void*);
#else
TAILOPS_INTEGERS(TAILOPS_FORWARD)
#endif
#undef TAILOPS_FORWARD

}  // namespace cuda
}  // namespace tailops
