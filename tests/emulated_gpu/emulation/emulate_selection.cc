// The launches of a selection, run by the emulation, for ctypes. Workspace and outputs are garbage
// before.

#include <stdexcept>

#include "cuda/quantile/backward.h"
#include "cuda/quantile/forward.h"
#include "setting.h"

namespace tailops {
namespace {

struct Arguments {
  const void* x;
  const void* weights;
  const double* q_on_host;
  const double* q_on_device;
  void* value;
  SelectionState* state;
  const void* upstream;
  void* gradient;
  int64_t outer;
  int64_t length;
  int64_t inner;
  int64_t dtype;
  int64_t method;
  int64_t ignore_nan;
  int64_t wide_weights;
  int64_t q_count;
  int64_t seed;
  LimitArguments limits;
  // out
  int64_t launches;
  int64_t workspace_bytes;
  char problem[200];
};

SelectionGeometry geometry_of(const Arguments& a) { return {a.outer, a.length, a.inner, {}}; }

template <typename T>
void forward(Arguments& a) {
  SelectionOptions options;
  options.method = static_cast<int>(a.method);
  options.ignore_nan = a.ignore_nan != 0;
  const cuda::Quantiles q{a.q_on_host, a.q_on_device, a.q_count};
  const cuda::Limits limits = limits_of(a.limits);
  const Weights weights{a.weights, a.wide_weights != 0};
  const cuda::SelectPlan plan = cuda::plan_select<T>(geometry_of(a), options, q, weights, limits);
  a.workspace_bytes = plan.workspace_bytes;
  if (a.value == nullptr) return;
  const DirtyMemory workspace(a.workspace_bytes, a.seed);
  cuda::Select<T>(plan, geometry_of(a), options, q, weights, workspace.data(), nullptr)
      .run(static_cast<const T*>(a.x), static_cast<T*>(a.value), a.state);
  require_launches(plan.launches());
}

template <typename T>
void either(Arguments& a) {
  if (a.upstream == nullptr) return forward<T>(a);
  cuda::launch_selection_gradient(static_cast<const T*>(a.upstream), static_cast<const T*>(a.x),
                                  a.state, geometry_of(a), a.q_count, static_cast<T*>(a.gradient),
                                  limits_of(a.limits), nullptr);
}

void run(Arguments& a) {
  switch (a.dtype) {
    case 0:
      return either<float>(a);
    case 1:
      return forward<int8_t>(a);
#if !defined(TAILOPS_TWO_TYPES)  // under sanitizers, the others take longer to compile than to run
    case 2:
      return either<double>(a);
    case 3:
      return either<Float16>(a);
    case 4:
      return either<BFloat16>(a);
    case 5:
      return forward<int16_t>(a);
    case 6:
      return forward<int32_t>(a);
    case 7:
      return forward<int64_t>(a);
    case 8:
      return forward<uint8_t>(a);
    case 9:
      return forward<uint16_t>(a);
    case 10:
      return forward<uint32_t>(a);
    case 11:
      return forward<uint64_t>(a);
#endif
    default:
      throw std::invalid_argument("a type that is not compiled in");
  }
}

}  // namespace
}  // namespace tailops

extern "C" __attribute__((visibility("default"))) void tailops_emulate_selection(void* arguments) {
  tailops::emulate<tailops::Arguments>(arguments, tailops::run);
}
