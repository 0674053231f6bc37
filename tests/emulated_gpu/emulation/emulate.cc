// The launches of a call, run by the emulation, for ctypes. Workspace and outputs are garbage
// before.

#include <optional>
#include <stdexcept>
#include <vector>

#include "../../options_of.h"
#include "cuda/loss/backward.h"
#include "cuda/loss/forward.h"
#include "setting.h"

namespace tailops {
namespace {

struct Arguments {
  const void* y_true;
  const void* y_pred;
  const bool* mask;
  const void* upstream;
  void* loss;
  void* state;
  void* gradient;
  const int64_t* shape;
  int64_t dimensions;
  int64_t axis;  // −1: none
  int64_t dtype;
  int64_t reduction;
  int64_t error_kind;
  int64_t method;
  int64_t gradient_mode;
  int64_t selection;
  double percentile;
  double smoothing_factor;
  double error_scale;
  double beta;
  double epsilon;
  int64_t ignore_nan;
  int64_t has_ignore_value;
  double ignore_value;
  int64_t seed;
  LimitArguments limits;
  // out
  int64_t launches;
  int64_t workspace_bytes;
  char problem[200];
};

template <typename T>
void run_as(Arguments& a) {
  const std::vector<int64_t> shape(a.shape, a.shape + a.dimensions);
  const std::optional<int64_t> axis = a.axis < 0 ? std::nullopt : std::optional<int64_t>(a.axis);
  const Geometry geometry = make_geometry(shape, axis, static_cast<Reduction>(a.reduction));
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

void run(Arguments& a) {
  with_float(a.dtype, [&](auto element) { run_as<decltype(element)>(a); });
}

}  // namespace
}  // namespace tailops

extern "C" __attribute__((visibility("default"))) void tailops_emulate(void* arguments) {
  tailops::emulate<tailops::Arguments>(arguments, tailops::run);
}
