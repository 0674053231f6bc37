// Random problems through every instruction set this machine runs: for sanitizers, which see what
// happens in memory. The results are looked at elsewhere. Argument: how many rounds.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "call/union.h"
#include "cpu/loss/given_state.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/quantile/quantile.h"
#include "cpu/range_mean/range_mean.h"
#include "cpu/simd/loops.h"
#include "cpu/union/union.h"
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
  options.smoothing_unit = static_cast<SmoothingUnit>(random.below(2));
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

// Every step of a union of one share.
template <typename T>
void one_union(Random& random) {
  std::vector<int64_t> shape = random_shape(random);
  std::optional<int64_t> axis;
  if (random.below(2) == 1) axis = random.below(static_cast<int64_t>(shape.size()));
  if (random.below(10) == 0) shape[static_cast<size_t>(axis.value_or(0))] = 0;
  const Geometry geometry = share_geometry(shape, axis);
  Options options;
  options.method = static_cast<int>(random.below(7));
  options.percentile = random.one_of({0.01, 0.5, 0.9, 1.0});
  const auto kind = static_cast<RangeKind>(random.below(3));
  const RangeBounds bounds =
      kind == RangeKind::kBetween ? RangeBounds{0.1, 0.8} : RangeBounds{0.5, 2.0};

  const auto n = static_cast<size_t>(geometry.size());
  const auto groups = static_cast<size_t>(geometry.groups());
  const int family = static_cast<int>(random.below(kFamilies));
  std::vector<T> y_true(n), y_pred(n), loss(n), gradient(n), mean(groups);
  for (T& value : y_pred) value = random.residual<T>(family, 5000);
  const std::unique_ptr<bool[]> kept(random.below(4) == 0 ? new bool[n] : nullptr);
  for (size_t i = 0; kept && i < n; ++i) kept[i] = random.below(3) != 0;
  ThreadsExecutor executor(static_cast<int>(1 + random.below(3)));
  const bool of_range = random.below(2) == 1;
  const int targets = of_range ? union_targets(kind) : union_targets(options);
  constexpr int kBits = kKeyBits<T>;
  std::vector<UnionSearch> search(groups);
  for (int number = 0; number < digit_rounds(kBits); ++number) {
    const UnionRound round{kBits, number, targets};
    std::vector<int64_t> counts(groups * static_cast<size_t>(round.columns()));
    union_histogram(y_true.data(), y_pred.data(), kept.get(), geometry, options, round,
                    search.data(), counts.data(), executor);
    if (of_range) {
      union_range_descend(kind, bounds, round, geometry.groups(), counts.data(), search.data(),
                          search.data());
    } else {
      union_descend(options, round, geometry.groups(), counts.data(), search.data(), search.data());
    }
  }
  if (of_range) {
    std::vector<UnionRangeSums> sums(groups);
    std::vector<RangeState> state(groups);
    const SelectionGeometry values{geometry, {}};
    union_range_sums(y_pred.data(), kept.get(), values, kind, bounds, search.data(), sums.data(),
                     executor);
    return union_range_mean(kind, bounds, geometry.groups(), search.data(), sums.data(),
                            mean.data(), state.data());
  }
  std::vector<GroupState> state(groups);
  std::vector<UnionSlopes> slopes(groups);
  union_states<T>(options, geometry.groups(), search.data(), state.data());
  given_state_losses(y_true.data(), y_pred.data(), kept.get(), state.data(), geometry, options,
                     loss.data(), executor);
  given_state_slopes(loss.data(), y_true.data(), y_pred.data(), kept.get(), state.data(), geometry,
                     options, slopes.data(), executor);
  given_state_gradient(loss.data(), y_true.data(), y_pred.data(), kept.get(), state.data(),
                       slopes.data(), geometry, options, gradient.data(), executor);
}

// Of either type; none where there are to be none.
class RandomWeights {
 public:
  RandomWeights(Random& random, size_t n) : are_wide_(random.below(2) == 1) {
    for (size_t i = 0; i < n; ++i) wide_.push_back(random.one_of({1e-9, 0.3, 1.0, 2.0, 1e6}));
    narrow_.assign(wide_.begin(), wide_.end());
  }

  Weights get() const {
    if (wide_.empty()) return {};
    return are_wide_ ? Weights{wide_.data(), true} : Weights{narrow_.data(), false};
  }

 private:
  const bool are_wide_;
  std::vector<double> wide_;
  std::vector<float> narrow_;
};

template <typename T>
void one_range_mean(Random& random) {
  const std::vector<int64_t> shape = random_shape(random);
  RangeOptions options;
  if (random.below(2) == 1) options.axis = random.below(static_cast<int64_t>(shape.size()));
  const SelectionGeometry geometry = range_geometry(shape, options);
  const RangeBounds bounds{random.one_of({0.0, 0.3, 0.9}), random.one_of({0.91, 0.99, 1.0})};
  const int family = static_cast<int>(random.below(kFamilies));
  std::vector<T> values(static_cast<size_t>(geometry.size())), gradient(values.size());
  for (T& value : values) value = random.residual<T>(family, 5000);
  const RandomWeights weights(random, random.below(2) == 1 ? values.size() : 0);
  const auto groups = static_cast<size_t>(geometry.groups());
  std::vector<T> mean(groups), upstream(groups, narrow<T>(1.0));
  std::vector<RangeState> state(groups);
  ThreadsExecutor executor(static_cast<int>(1 + random.below(3)));
  range_mean_forward(values.data(), nullptr, weights.get(), geometry, options, bounds, mean.data(),
                     state.data(), executor);
  range_mean_backward(upstream.data(), values.data(), nullptr, state.data(), geometry,
                      gradient.data(), executor);
}

template <typename T>
void one_selection(Random& random) {
  const std::vector<int64_t> shape = random_shape(random);
  SelectionOptions options;
  if (random.below(2) == 1) options.axis = random.below(static_cast<int64_t>(shape.size()));
  options.ignore_nan = random.below(2) == 1;
  options.method = static_cast<int>(random.below(kByRankFromTop + 1));
  const bool weighs = may_have_weights(options.method) && random.below(2) == 1;
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
  const RandomWeights weights(random, weighs ? x.size() : 0);
  select_forward(x.data(), weights.get(), geometry, options, q.data(), count, value.data(),
                 state.data(), executor);
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
      one_range_mean<float>(random);
      one_range_mean<double>(random);
      one_range_mean<Float16>(random);
      one_range_mean<BFloat16>(random);
      one_union<float>(random);
      one_union<double>(random);
      one_union<Float16>(random);
      one_union<BFloat16>(random);
    }
    std::printf("%s: %d problems\n", name.c_str(), 16 * std::atoi(argv[1]));
  }
}
