// A batch that is remembered, run by the emulation, for ctypes. The window is `loss`, of `cut`
// errors; how many have been written is `state`; behind the batch it is `gradient`.

#include <algorithm>
#include <cstdint>

#include "../../options_of.h"
#include "call/union.h"
#include "cuda/union/remember.h"
#include "loss_arguments.h"

namespace tailops {
namespace {

void run(LossArguments& a) {
  const Options options = options_of(a);
  const cuda::Limits limits = limits_of(a.limits);
  const Geometry geometry = share_geometry(shape_of(a), axis_of(a));
  require_window({a.cut}, geometry);
  with_float(a.dtype, [&](auto element) {
    using T = decltype(element);
    using C = ComputeType<T>;
    const cuda::Inputs<T> batch{static_cast<const T*>(a.y_true), static_cast<const T*>(a.y_pred),
                                a.mask};
    auto* const written = static_cast<C*>(a.state);
    cuda::launch_remember(cuda::Call<T>(batch, geometry, options),
                          {static_cast<const C*>(a.loss), written, a.cut}, a.upstream != nullptr,
                          {static_cast<C*>(a.gradient), written, a.cut}, limits, nullptr);
  });
}

}  // namespace
}  // namespace tailops

extern "C" __attribute__((visibility("default"))) void tailops_emulate_window(void* arguments) {
  tailops::emulate<tailops::LossArguments>(arguments, tailops::run);
}
