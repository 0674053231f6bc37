// Random problems through every instruction set this machine runs: for sanitizers, which see what
// happens in memory. The results are looked at elsewhere. Argument: how many rounds.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "cpu/loss/tail_loss.h"
#include "cpu/quantile/quantile.h"
#include "cpu/simd/loops.h"
#include "formulas/errors.h"
#include "formulas/quantile_rank.h"
#include "python/threads_executor.h"
#include "random_numbers.h"

namespace tailops {
namespace {

std::vector<int64_t> random_shape(Random& random) {
  const int64_t limits[][3] = {{600, 1, 1},  {20'000, 1, 1}, {120, 120, 1}, {900, 60, 1},
                               {60, 900, 1}, {5, 400, 20},   {20, 20, 20}};
  const auto& limit = limits[random.below(7)];
  std::vector<int64_t> shape;
  for (const int64_t most : limit) {
    if (most > 1) shape.push_back(1 + random.below(most));
  }
  return shape;
}

template <typename T>
void one_problem(Random& random) {
  const std::vector<int64_t> shape = random_shape(random);
  std::optional<int64_t> axis;
  if (random.below(2) == 1) axis = random.below(static_cast<int64_t>(shape.size()));
  const Geometry geometry = make_geometry(shape, axis, static_cast<Reduction>(random.below(4)));
  Options options;
  options.error_kind = static_cast<int>(random.below(std::tuple_size_v<ErrorKinds>));
  options.method = static_cast<int>(random.below(7));
  options.gradient = static_cast<GradientMode>(random.below(3));
  options.selection = static_cast<SelectionPath>(random.below(4));
  options.percentile = random.one_of({0.01, 0.5, 0.9, 0.99, 1.0});
  options.smoothing_factor = random.one_of({0.0, 1.0, 10.0, 100.0, 1e6});
  options.beta = random.one_of({0.0, 0.3, 1.0});
  options.ignore_nan = random.below(4) == 0;
  if (random.below(4) == 0) options.ignore_value = 1.0;
  if (!reads_target(options.error_kind)) {
    options.beta = 0.0;
    options.ignore_value.reset();
  }

  const auto n = static_cast<size_t>(geometry.size());
  const auto rows = static_cast<size_t>(geometry.rows());
  const int family = static_cast<int>(random.below(kFamilies));
  std::vector<T> y_true(n), y_pred(n), gradient(n);
  for (T& value : y_true) value = narrow<T>(random.below(3) == 0 ? 1.0 : 0.0);
  const std::unique_ptr<bool[]> kept(random.below(4) == 0 ? new bool[n] : nullptr);
  for (size_t i = 0; kept && i < n; ++i) kept[i] = random.below(3) != 0;
  for (T& value : y_pred) value = random.residual<T>(family, 5000);
  std::vector<T> loss(rows), upstream(rows, narrow<T>(1.0));
  std::vector<GroupState> state(static_cast<size_t>(geometry.groups()));
  ThreadsExecutor executor(static_cast<int>(1 + random.below(3)));
  tail_loss_forward(y_true.data(), y_pred.data(), kept.get(), geometry, options, loss.data(),
                    state.data(), executor);
  T* const out = random.below(3) == 0 ? y_pred.data() : gradient.data();
  tail_loss_backward(upstream.data(), y_true.data(), y_pred.data(), kept.get(), state.data(),
                     geometry, options, out, executor);
}

template <typename T>
void one_selection(Random& random) {
  const std::vector<int64_t> shape = random_shape(random);
  SelectionOptions options;
  if (random.below(2) == 1) options.axis = random.below(static_cast<int64_t>(shape.size()));
  options.ignore_nan = random.below(2) == 1;
  options.method = static_cast<int>(random.below(kByRankFromTop + 1));
  const SelectionGeometry geometry = selection_geometry(shape, options);
  const bool ranks = is_by_rank(options.method);
  std::vector<double> q(static_cast<size_t>(1 + random.below(5)));
  for (double& one : q) {
    one = ranks ? static_cast<double>(random.below(geometry.length))
                : random.one_of({0.0, 0.01, 0.5, 0.99, 1.0});
  }
  const auto count = static_cast<int64_t>(q.size());
  const auto values = static_cast<size_t>(count * geometry.groups());
  const int family = static_cast<int>(random.below(kFamilies));
  std::vector<T> x(static_cast<size_t>(geometry.size())), gradient(x.size());
  for (T& value : x) value = random.residual<T>(family, 5000);
  std::vector<T> value(values), upstream(values, narrow<T>(1.0));
  std::vector<SelectionState> state(values);
  ThreadsExecutor executor(static_cast<int>(1 + random.below(3)));
  select_forward(x.data(), geometry, options, q.data(), count, value.data(), state.data(),
                 executor);
  select_backward(upstream.data(), x.data(), state.data(), geometry, count, gradient.data(),
                  executor);
}

}  // namespace
}  // namespace tailops

int main(int, char** argv) {
  using namespace tailops;
  for (const std::string& name : instruction_sets()) {
    set_instruction_set(name);
    Random random;
    for (int round = 0; round < std::atoi(argv[1]); ++round) {
      one_problem<float>(random);
      one_problem<double>(random);
      one_problem<Float16>(random);
      one_problem<BFloat16>(random);
      one_selection<float>(random);
      one_selection<double>(random);
      one_selection<Float16>(random);
      one_selection<BFloat16>(random);
    }
    std::printf("%s: %d problems\n", name.c_str(), 8 * std::atoi(argv[1]));
  }
}
