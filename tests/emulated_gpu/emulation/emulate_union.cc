// The steps of a loss's union, of two shares, run by the emulation, for ctypes. Workspace and
// outputs are garbage before.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "../../options_of.h"
#include "call/union.h"
#include "cuda/loss/share.h"
#include "cuda/union/descend.h"
#include "cuda/union/histogram.h"
#include "loss_arguments.h"

namespace tailops {
namespace {

template <typename T>
struct Part {
  cuda::Inputs<T> inputs;
  Geometry geometry;
  int64_t first;  // of its elements
};

template <typename T>
std::vector<Part<T>> parts_of(const LossArguments& a) {
  std::vector<int64_t> shape = shape_of(a);
  const int64_t rows = shape[0];
  std::vector<Part<T>> parts;
  int64_t first = 0;
  for (const int64_t count : {a.cut, rows - a.cut}) {
    shape[0] = count;
    const auto* const y_true = static_cast<const T*>(a.y_true) + first;
    const auto* const y_pred = static_cast<const T*>(a.y_pred) + first;
    const bool* const mask = a.mask == nullptr ? nullptr : a.mask + first;
    parts.push_back({{y_true, y_pred, mask}, share_geometry(shape, axis_of(a)), first});
    first += parts.back().geometry.size();
  }
  return parts;
}

template <typename T>
void forward(const std::vector<Part<T>>& parts, const Options& options, const cuda::Limits& limits,
             T* loss, GroupState* state) {
  constexpr int kKeyBits = OrderedBits<ComputeType<T>>::kBits;
  const int64_t groups = parts[0].geometry.groups();
  std::vector<UnionSearch> search(static_cast<size_t>(groups));
  for (int number = 0; number < digit_rounds(kKeyBits); ++number) {
    const UnionRound round{kKeyBits, number, union_targets(options)};
    std::vector<int64_t> sum(static_cast<size_t>(groups * round.columns()));
    for (const Part<T>& part : parts) {
      std::vector<int64_t> counts(sum.size(), 77);
      const cuda::Call<T> call(part.inputs, part.geometry, options);
      cuda::launch_histogram(call, round, search.data(), counts.data(), limits, nullptr);
      std::transform(sum.begin(), sum.end(), counts.begin(), sum.begin(), std::plus<>());
    }
    cuda::launch_descent(cuda::RanksOfLoss{threshold_of(options)}, round, groups, sum.data(),
                         search.data(), search.data(), nullptr);
  }
  const cuda::UnionStates<ComputeType<T>> states{threshold_of(options), groups, search.data(),
                                                 state};
  cuda::launch_each(states, groups, nullptr);
  for (const Part<T>& part : parts) {
    cuda::Share<T>(part.inputs, part.geometry, options, limits, nullptr, nullptr)
        .losses(state, loss + part.first);
  }
}

template <typename T>
void backward(const std::vector<Part<T>>& parts, const Options& options, const cuda::Limits& limits,
              const T* upstream, const GroupState* state, T* gradient, int64_t seed) {
  const int64_t groups = parts[0].geometry.groups();
  std::vector<double> sum(static_cast<size_t>(groups * kSlopeColumns));
  const bool exact = options.gradient == GradientMode::kExact;
  for (const bool adds_up : {true, false}) {
    if (adds_up && !exact) continue;
    for (const Part<T>& part : parts) {
      const DirtyMemory workspace(
          cuda::plan_share(part.geometry, sizeof(T), limits).workspace_bytes, seed);
      const cuda::Share<T> share(part.inputs, part.geometry, options, limits, workspace.data(),
                                 nullptr);
      const T* const arrives = upstream + part.first;
      if (adds_up) {
        std::vector<double> slopes(sum.size(), 77.0);
        share.slopes(arrives, state, reinterpret_cast<UnionSlopes*>(slopes.data()));
        std::transform(sum.begin(), sum.end(), slopes.begin(), sum.begin(), std::plus<>());
      } else {
        const auto* const all = reinterpret_cast<const UnionSlopes*>(sum.data());
        share.gradient(arrives, state, exact ? all : nullptr, gradient + part.first);
      }
    }
  }
}

void run(LossArguments& a) {
  const Options options = options_of(a);
  const cuda::Limits limits = limits_of(a.limits);
  auto* const state = static_cast<GroupState*>(a.state);
  with_float(a.dtype, [&](auto element) {
    using T = decltype(element);
    const std::vector<Part<T>> parts = parts_of<T>(a);
    if (a.upstream == nullptr) {
      forward(parts, options, limits, static_cast<T*>(a.loss), state);
    } else {
      backward(parts, options, limits, static_cast<const T*>(a.upstream), state,
               static_cast<T*>(a.gradient), a.seed);
    }
  });
}

}  // namespace
}  // namespace tailops

extern "C" __attribute__((visibility("default"))) void tailops_emulate_union(void* arguments) {
  tailops::emulate<tailops::LossArguments>(arguments, tailops::run);
}
