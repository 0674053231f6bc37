// Range means of one element type, TAILOPS_ELEMENT.

#include "cuda/device/limits_of_device.h"
#include "cuda/range_mean/forward.h"
#include "cuda/range_mean/gradient.h"
#include "cuda/range_mean/range_mean.h"

namespace tailops {
namespace cuda {

template <typename T>
int64_t range_mean_workspace(const SelectionGeometry& geometry, const RangeOptions&,
                             const Weights& weights) {
  return plan_range(geometry, range_kernels<T>(weights.exist()), limits_of_device())
      .workspace_bytes;
}

template <typename T>
void range_mean_forward(const T* values, const bool* mask, const Weights& weights,
                        const SelectionGeometry& geometry, const RangeOptions& options,
                        const Bounds& bounds, T* mean, RangeState* state, void* workspace,
                        void* stream) {
  const RangePlan plan =
      plan_range(geometry, range_kernels<T>(weights.exist()), limits_of_device());
  RangeForward<T>(plan, geometry, options.kind, bounds, weights, workspace, stream)
      .run(values, mask, mean, state);
}

template <typename T>
void range_mean_backward(const T* upstream, const T* values, const bool* mask,
                         const RangeState* state, const SelectionGeometry& geometry, T* gradient,
                         void* stream) {
  launch_range_gradient(upstream, values, mask, state, geometry, gradient, limits_of_device(),
                        stream);
}

template int64_t range_mean_workspace<TAILOPS_ELEMENT>(const SelectionGeometry&,
                                                       const RangeOptions&, const Weights&);
template void range_mean_forward(const TAILOPS_ELEMENT*, const bool*, const Weights&,
                                 const SelectionGeometry&, const RangeOptions&, const Bounds&,
                                 TAILOPS_ELEMENT*, RangeState*, void*, void*);
template void range_mean_backward(const TAILOPS_ELEMENT*, const TAILOPS_ELEMENT*, const bool*,
                                  const RangeState*, const SelectionGeometry&, TAILOPS_ELEMENT*,
                                  void*);

}  // namespace cuda
}  // namespace tailops
