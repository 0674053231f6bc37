// The launches of a call, run by the emulation, for ctypes. Workspace and outputs are garbage
// before.

#include "../../options_of.h"
#include "cuda/loss/backward.h"
#include "cuda/loss/forward.h"
#include "loss_arguments.h"

namespace tailops {
namespace {

template <typename T>
void run_as(LossArguments& a) {
  const Geometry geometry =
      make_geometry(shape_of(a), axis_of(a), static_cast<Reduction>(a.reduction));
  const Options options = options_of(a);
  const cuda::Inputs<T> inputs{static_cast<const T*>(a.y_true), static_cast<const T*>(a.y_pred),
                               a.mask};
  const cuda::Limits limits = limits_of(a.limits);
  auto* const state = static_cast<GroupState*>(a.state);
  if (a.upstream == nullptr) {
    const cuda::ForwardPlan plan = cuda::plan_forward(inputs, geometry, options, limits);
    a.workspace_bytes = plan.workspace_bytes;
    if (a.loss == nullptr) return;
    const DirtyMemory workspace(a.workspace_bytes, a.seed);
    cuda::Forward<T>(plan, inputs, geometry, options, workspace.data(), nullptr)
        .run(static_cast<T*>(a.loss), state);
    require_launches(plan.launches());
  } else {
    const cuda::BackwardPlan plan = cuda::plan_backward(inputs, geometry, options, limits);
    a.workspace_bytes = plan.workspace_bytes;
    const DirtyMemory workspace(a.workspace_bytes, a.seed);
    cuda::Backward<T>(plan, inputs, geometry, options, workspace.data(), nullptr)
        .run(static_cast<const T*>(a.upstream), state, static_cast<T*>(a.gradient));
    require_launches(plan.launches());
  }
}

void run(LossArguments& a) {
  with_float(a.dtype, [&](auto element) { run_as<decltype(element)>(a); });
}

}  // namespace
}  // namespace tailops

extern "C" __attribute__((visibility("default"))) void tailops_emulate(void* arguments) {
  tailops::emulate<tailops::LossArguments>(arguments, tailops::run);
}
