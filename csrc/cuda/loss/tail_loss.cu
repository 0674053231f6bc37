// The kernels and their launches for one element type, TAILOPS_ELEMENT: a file for each compiles
// side by side.

#include "cuda/device/limits_of_device.h"
#include "cuda/loss/backward.h"
#include "cuda/loss/forward.h"

namespace tailops {
namespace cuda {

template <typename T>
int64_t forward_workspace(const Inputs<T>& inputs, const Geometry& geometry,
                          const Options& options) {
  return plan_forward(inputs, geometry, options, limits_of_device()).workspace_bytes;
}

template <typename T>
int64_t backward_workspace(const Inputs<T>& inputs, const Geometry& geometry,
                           const Options& options) {
  return plan_backward(inputs, geometry, options, limits_of_device()).workspace_bytes;
}

template <typename T>
void forward(const Inputs<T>& inputs, const Geometry& geometry, const Options& options, T* loss,
             GroupState* state, void* workspace, void* stream) {
  const ForwardPlan plan = plan_forward(inputs, geometry, options, limits_of_device());
  Forward<T>(plan, inputs, geometry, options, workspace, stream).run(loss, state);
}

template <typename T>
void backward(const Inputs<T>& inputs, const T* upstream, const GroupState* state,
              const Geometry& geometry, const Options& options, T* gradient, void* workspace,
              void* stream) {
  const BackwardPlan plan = plan_backward(inputs, geometry, options, limits_of_device());
  Backward<T>(plan, inputs, geometry, options, workspace, stream).run(upstream, state, gradient);
}

using Element = TAILOPS_ELEMENT;
template int64_t forward_workspace<Element>(const Inputs<Element>&, const Geometry&,
                                            const Options&);
template int64_t backward_workspace<Element>(const Inputs<Element>&, const Geometry&,
                                             const Options&);
template void forward<Element>(const Inputs<Element>&, const Geometry&, const Options&, Element*,
                               GroupState*, void*, void*);
template void backward<Element>(const Inputs<Element>&, const Element*, const GroupState*,
                                const Geometry&, const Options&, Element*, void*, void*);

}  // namespace cuda
}  // namespace tailops
