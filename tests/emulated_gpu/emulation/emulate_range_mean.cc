// The launches of a range mean, run by the emulation, for ctypes. Workspace and outputs are garbage
// before.

#include <stdexcept>

#include "cuda/range_mean/forward.h"
#include "cuda/range_mean/gradient.h"
#include "setting.h"

namespace tailops {
namespace {

struct Arguments {
  const void* values;
  const bool* mask;
  const void* weights;
  const RangeBounds* on_host;
  const RangeBounds* on_device;
  void* mean;
  RangeState* state;
  const void* upstream;
  void* gradient;
  int64_t outer;
  int64_t length;
  int64_t inner;
  int64_t dtype;
  int64_t kind;
  int64_t wide_weights;
  int64_t seed;
  LimitArguments limits;
  // out
  int64_t launches;
  int64_t workspace_bytes;
  char problem[200];
};

template <typename T>
void run_as(Arguments& a) {
  const SelectionGeometry geometry{{a.outer, a.length, a.inner}, {}};
  const cuda::Limits limits = limits_of(a.limits);
  const T* const values = static_cast<const T*>(a.values);
  if (a.upstream != nullptr) {
    cuda::launch_range_gradient(static_cast<const T*>(a.upstream), values, a.mask, a.state,
                                geometry, static_cast<T*>(a.gradient), limits, nullptr);
    return;
  }
  const Weights weights{a.weights, a.wide_weights != 0};
  const cuda::RangePlan plan =
      cuda::plan_range(geometry, cuda::range_kernels<T>(weights.exist()), limits);
  a.workspace_bytes = plan.workspace_bytes;
  if (a.mean == nullptr) return;
  const DirtyMemory workspace(a.workspace_bytes, a.seed);
  cuda::RangeForward<T>(plan, geometry, static_cast<RangeKind>(a.kind), {a.on_host, a.on_device},
                        weights, workspace.data(), nullptr)
      .run(values, a.mask, static_cast<T*>(a.mean), a.state);
  require_launches(plan.launches());
}

void run(Arguments& a) {
  with_float(a.dtype, [&](auto element) { run_as<decltype(element)>(a); });
}

}  // namespace
}  // namespace tailops

extern "C" __attribute__((visibility("default"))) void tailops_emulate_range_mean(void* arguments) {
  tailops::emulate<tailops::Arguments>(arguments, tailops::run);
}
