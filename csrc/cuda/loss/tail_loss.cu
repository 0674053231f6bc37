// The kernels and their launches for one element type, TAILOPS_ELEMENT: a file for each compiles
// side by side.

#include "cuda/device/limits_of_device.h"
#include "cuda/loss/backward.h"
#include "cuda/loss/forward.h"
#include "cuda/loss/share.h"

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

template <typename T>
int64_t given_state_workspace(const Geometry& geometry) {
  return plan_share(geometry, sizeof(T), limits_of_device()).workspace_bytes;
}

template <typename T>
void given_state_losses(const Inputs<T>& inputs, const GroupState* state, const Geometry& geometry,
                        const Options& options, T* loss, void* stream) {
  Share<T>(inputs, geometry, options, limits_of_device(), nullptr, stream).losses(state, loss);
}

template <typename T>
void given_state_slopes(const Inputs<T>& inputs, const T* upstream, const GroupState* state,
                        const Geometry& geometry, const Options& options, UnionSlopes* slopes,
                        void* workspace, void* stream) {
  Share<T>(inputs, geometry, options, limits_of_device(), workspace, stream)
      .slopes(upstream, state, slopes);
}

template <typename T>
void given_state_gradient(const Inputs<T>& inputs, const T* upstream, const GroupState* state,
                          const UnionSlopes* slopes, const Geometry& geometry,
                          const Options& options, T* gradient, void* workspace, void* stream) {
  Share<T>(inputs, geometry, options, limits_of_device(), workspace, stream)
      .gradient(upstream, state, slopes, gradient);
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
template int64_t given_state_workspace<Element>(const Geometry&);
template void given_state_losses<Element>(const Inputs<Element>&, const GroupState*,
                                          const Geometry&, const Options&, Element*, void*);
template void given_state_slopes<Element>(const Inputs<Element>&, const Element*, const GroupState*,
                                          const Geometry&, const Options&, UnionSlopes*, void*,
                                          void*);
template void given_state_gradient<Element>(const Inputs<Element>&, const Element*,
                                            const GroupState*, const UnionSlopes*, const Geometry&,
                                            const Options&, Element*, void*, void*);

}  // namespace cuda
}  // namespace tailops
