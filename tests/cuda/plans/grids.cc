// The grids of one large group on a GPU of 132 multiprocessors: prints a line for each type and
// length.

#include <cstdio>

#include "cuda/device/plan.h"

int main() {
  using namespace tailops;
  const struct {
    int element, compute;
    int64_t resident;
  } types[] = {{2, 4, 3}, {4, 4, 4}, {8, 8, 3}};
  cuda::Limits limits;
  limits.multiprocessors = 132;
  for (const auto& type : types) {
    for (int64_t length = int64_t{1} << 15; length <= int64_t{1} << 30; length *= 2) {
      const Geometry geometry = make_geometry({length}, std::nullopt, Reduction::kMean);
      Options options;
      options.percentile = 0.99;
      const cuda::GridPlan plan(geometry, options, type.element, type.compute, type.resident,
                                limits);
      std::printf("%d %lld %lld %lld %.9g %lld\n", type.element, static_cast<long long>(length),
                  static_cast<long long>(plan.warps), static_cast<long long>(plan.segment),
                  plan.fitting, static_cast<long long>(plan.sample));
    }
  }
}
