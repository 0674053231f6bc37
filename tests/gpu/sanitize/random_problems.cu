// Random problems on the GPU against the CPU kernels: for compute-sanitizer, and as a first test on
// a machine that has nothing else. Argument: how many rounds.

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "../../kernels/sanitize/random_numbers.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/quantile/quantile.h"
#include "cpu/range_mean/range_mean.h"
#include "cuda/loss/tail_loss.h"
#include "cuda/quantile/quantile.h"
#include "cuda/range_mean/range_mean.h"
#include "formulas/errors.h"
#include "formulas/quantile_rank.h"

namespace tailops {
namespace {

void require(cudaError_t status) {
  if (status == cudaSuccess) return;
  std::printf("CUDA: %s\n", cudaGetErrorString(status));
  std::exit(1);
}

// A copy on the device: an allocation of its own, so that every byte beyond it is an error.
template <typename T>
class OnDevice {
 public:
  explicit OnDevice(size_t size) : size_(size) {
    require(cudaMalloc(&data_, std::max<size_t>(1, size) * sizeof(T)));
  }
  OnDevice(const T* values, size_t size) : OnDevice(size) {
    require(cudaMemcpy(data_, values, size_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  explicit OnDevice(const std::vector<T>& values) : OnDevice(values.data(), values.size()) {}
  ~OnDevice() { cudaFree(data_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  T* data() const { return data_; }
  std::vector<T> values() const {
    std::vector<T> values(size_);
    require(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

// Of either type; or none.
class RandomWeights {
 public:
  RandomWeights(Random& random, int64_t count)
      : exist_(random.below(3) == 0),
        are_wide_(random.below(2) == 1),
        host_(made(random, exist_ ? count : 0)),
        narrow_host_(host_.begin(), host_.end()),
        device_(host_),
        narrow_device_(narrow_host_) {}

  bool exist() const { return exist_; }
  Weights on_host() const { return of(host_.data(), narrow_host_.data()); }
  Weights on_device() const { return of(device_.data(), narrow_device_.data()); }

 private:
  static std::vector<double> made(Random& random, int64_t count) {
    std::vector<double> weights(static_cast<size_t>(count));
    for (double& weight : weights) weight = static_cast<double>(1 + random.below(1000)) / 8.0;
    return weights;
  }

  Weights of(const double* wide, const float* narrow) const {
    if (!exist_) return {};
    return {are_wide_ ? static_cast<const void*>(wide) : narrow, are_wide_};
  }

  const bool exist_;
  const bool are_wide_;
  const std::vector<double> host_;
  const std::vector<float> narrow_host_;
  const OnDevice<double> device_;
  const OnDevice<float> narrow_device_;
};

std::vector<int64_t> random_shape(Random& random) {
  const int64_t limits[][3] = {{600, 1, 1},  {20'000, 1, 1}, {200'000, 1, 1}, {120, 120, 1},
                               {900, 60, 1}, {3, 30'000, 1}, {30'000, 3, 1},  {5, 400, 20}};
  const auto& limit = limits[random.below(8)];
  std::vector<int64_t> shape;
  for (const int64_t most : limit) {
    if (most > 1) shape.push_back(1 + random.below(most));
  }
  return shape;
}

// `size`: of what they are sums of, if that is more than they are.
template <typename T>
bool are_close(const std::vector<T>& found, const std::vector<T>& expected, double size = 0.0) {
  const double tolerance = sizeof(T) == 8 ? 1e-11 : sizeof(T) == 4 ? 4e-6 : 2e-2;
  double largest = size, apart = 0.0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double a = widen(found[i]), b = widen(expected[i]);
    if (std::isnan(a) != std::isnan(b) || (std::isinf(b) && a != b)) return false;
    if (!std::isfinite(b)) continue;
    largest = std::fmax(largest, std::fabs(b));
    apart = std::fmax(apart, std::fabs(a - b));
  }
  return apart <= tolerance * largest;
}

template <typename T>
bool are_equal(const std::vector<T>& found, const std::vector<T>& expected) {
  for (size_t i = 0; i < found.size(); ++i) {
    const double a = widen(found[i]), b = widen(expected[i]);
    if (a != b && !(std::isnan(a) && std::isnan(b))) return false;
  }
  return true;
}

void print(const char* what, const std::vector<int64_t>& shape, std::optional<int64_t> axis) {
  std::printf("%s of shape (", what);
  for (const int64_t size : shape) std::printf("%lld,", static_cast<long long>(size));
  std::printf("), axis %lld: ", static_cast<long long>(axis.value_or(-1)));
}

// Whether the first is right; says what was wrong where it is not.
bool is_right(const char* what, bool right) {
  if (!right) std::printf("wrong %s; ", what);
  return right;
}

template <typename T>
bool one_problem(Random& random) {
  const std::vector<int64_t> shape = random_shape(random);
  std::optional<int64_t> axis;
  if (random.below(2) == 1) axis = random.below(static_cast<int64_t>(shape.size()));
  const auto reduction = static_cast<Reduction>(random.below(4));
  const Geometry geometry = make_geometry(shape, axis, reduction);
  Options options;
  options.error_kind = static_cast<int>(random.below(std::tuple_size_v<ErrorKinds>));
  const bool has_targets = reads_target(options.error_kind);
  options.method = static_cast<int>(random.below(7));
  options.gradient = static_cast<GradientMode>(random.below(3));
  options.smoothing_unit = static_cast<SmoothingUnit>(random.below(2));
  options.selection = static_cast<SelectionPath>(random.below(4));
  options.percentile = random.one_of({0.01, 0.5, 0.9, 0.99, 1.0});
  options.smoothing_factor = random.one_of({0.0, 1.0, 10.0, 100.0});
  options.beta = has_targets ? random.one_of({0.0, 0.3, 1.0}) : 0.0;

  const auto n = static_cast<size_t>(geometry.size());
  const auto rows = static_cast<size_t>(geometry.rows());
  const auto groups = static_cast<size_t>(geometry.groups());
  const int family = static_cast<int>(random.below(kFamilies));
  std::vector<T> y_true(n, narrow<T>(0.0)), y_pred(n), gradient(n);
  for (T& value : y_pred) value = random.residual<T>(family);
  // Of one sign: what cancels would not be as close as the rest.
  for (T& value : y_pred) {
    if (!has_targets) value = narrow<T>(-std::fabs(static_cast<double>(widen(value))));
  }
  const auto mask = std::make_unique<bool[]>(n);
  const bool is_masked = random.below(3) == 0;
  for (size_t i = 0; i < n; ++i) mask[i] = !is_masked || random.below(4) != 0;
  if (has_targets && random.below(3) == 0) {
    options.ignore_value = 0.1;  // which no type but float64 has
    for (size_t i = 0; i < n; i += 3) y_true[i] = narrow<T>(0.1);
  }
  std::vector<T> loss(rows), upstream(rows, narrow<T>(1.0));
  std::vector<GroupState> state(groups);
  SerialExecutor executor;
  const bool* const kept = is_masked ? mask.get() : nullptr;
  tail_loss_forward(y_true.data(), y_pred.data(), kept, geometry, options, loss.data(),
                    state.data(), executor);
  tail_loss_backward(upstream.data(), y_true.data(), y_pred.data(), kept, state.data(), geometry,
                     options, gradient.data(), executor);

  const OnDevice<T> gpu_true(y_true), gpu_pred(y_pred), gpu_upstream(upstream);
  const OnDevice<T> gpu_loss(rows), gpu_gradient(n);
  const OnDevice<GroupState> gpu_state(groups);
  const OnDevice<bool> gpu_mask(mask.get(), n);
  const cuda::Inputs<T> inputs{gpu_true.data(), gpu_pred.data(),
                               is_masked ? gpu_mask.data() : nullptr};
  {
    const OnDevice<char> workspace(cuda::forward_workspace(inputs, geometry, options));
    cuda::forward(inputs, geometry, options, gpu_loss.data(), gpu_state.data(), workspace.data(),
                  nullptr);
    require(cudaDeviceSynchronize());
  }
  {
    const OnDevice<char> workspace(cuda::backward_workspace(inputs, geometry, options));
    cuda::backward(inputs, gpu_upstream.data(), gpu_state.data(), geometry, options,
                   gpu_gradient.data(), workspace.data(), nullptr);
    require(cudaDeviceSynchronize());
  }
  const std::vector<GroupState> gpu_states = gpu_state.values();
  bool thresholds = true, counts = true;
  for (size_t g = 0; g < groups; ++g) {
    thresholds &= gpu_states[g].threshold == state[g].threshold ||
                  (std::isnan(gpu_states[g].threshold) && std::isnan(state[g].threshold));
    counts &= gpu_states[g].valid == state[g].valid;
  }
  bool right = is_right("thresholds", thresholds);
  right &= is_right("counts", counts);
  if (family < kWholeRange) {
    right &= is_right("loss", are_close(gpu_loss.values(), loss));
    right &= is_right("gradient", are_close(gpu_gradient.values(), gradient));
  }
  if (right) return true;
  print("loss", shape, axis);
  std::printf("reduction %d, error %d, rule %d, gradient %d, selection %d, family %d, masked %d, ",
              static_cast<int>(reduction), options.error_kind, options.method,
              static_cast<int>(options.gradient), static_cast<int>(options.selection), family,
              is_masked ? 1 : 0);
  std::printf("ignoring %d, p %g, kappa %g, beta %g\n", options.ignore_value.has_value() ? 1 : 0,
              options.percentile, options.smoothing_factor, options.beta);
  return false;
}

template <typename T>
bool one_selection(Random& random) {
  const std::vector<int64_t> shape = random_shape(random);
  SelectionOptions options;
  if (random.below(2) == 1) options.axis = random.below(static_cast<int64_t>(shape.size()));
  options.ignore_nan = random.below(2) == 1;
  options.method = static_cast<int>(random.below(kByRankFromTop + 1));
  const SelectionGeometry geometry = selection_geometry(shape, options);
  const RandomWeights weights(random, geometry.size());
  if (weights.exist()) options.method = random.one_of({kFloor, kInvertedCdf});
  std::vector<double> q(static_cast<size_t>(random.one_of<int64_t>({1, 2, 5, 20, 40})));
  for (double& one : q) {
    one = is_by_rank(options.method) ? static_cast<double>(random.below(geometry.length))
                                     : random.one_of({0.0, 0.01, 0.5, 0.99, 1.0});
  }
  const auto count = static_cast<int64_t>(q.size());
  const auto values = static_cast<size_t>(count * geometry.groups());
  const int family = static_cast<int>(random.below(kFamilies));
  std::vector<T> x(static_cast<size_t>(geometry.size())), gradient(x.size());
  for (T& value : x) value = random.below(999) == 0 ? narrow<T>(NAN) : random.residual<T>(family);
  std::vector<T> value(values), upstream(values, narrow<T>(1.0));
  std::vector<SelectionState> state(values);
  SerialExecutor executor;
  select_forward(x.data(), weights.on_host(), geometry, options, q.data(), count, value.data(),
                 state.data(), executor);
  select_backward(upstream.data(), x.data(), state.data(), geometry, count, gradient.data(),
                  executor);

  const OnDevice<T> gpu_x(x), gpu_upstream(upstream), gpu_value(values), gpu_gradient(x.size());
  const OnDevice<SelectionState> gpu_state(values);
  const OnDevice<double> gpu_q(q);
  const bool on_device = random.below(2) == 1;
  const cuda::Quantiles quantiles{on_device ? nullptr : q.data(),
                                  on_device ? gpu_q.data() : nullptr, count};
  {
    const Weights gpu_weights = weights.on_device();
    const OnDevice<char> workspace(
        cuda::selection_workspace<T>(geometry, options, quantiles, gpu_weights));
    cuda::select_forward<T>(gpu_x.data(), gpu_weights, geometry, options, quantiles,
                            gpu_value.data(), gpu_state.data(), workspace.data(), nullptr);
    require(cudaDeviceSynchronize());
  }
  cuda::select_backward<T>(gpu_upstream.data(), gpu_x.data(), gpu_state.data(), geometry, count,
                           gpu_gradient.data(), nullptr);
  require(cudaDeviceSynchronize());
  bool right = is_right("values", are_equal(gpu_value.values(), value));
  right &= is_right("gradient", are_equal(gpu_gradient.values(), gradient));
  if (right) return true;
  print("selection", shape, options.axis);
  std::printf("method %d, ignore_nan %d, family %d, %zu q, on the device %d, weights %d\n",
              options.method, options.ignore_nan ? 1 : 0, family, q.size(), on_device ? 1 : 0,
              weights.exist() ? 1 : 0);
  return false;
}

RangeBounds random_bounds(Random& random, RangeKind kind, int64_t most) {
  switch (kind) {
    case RangeKind::kBetween:
      return {random.one_of({0.0, 0.01, 0.29, 0.5}), random.one_of({0.51, 0.9, 0.999, 1.0})};
    case RangeKind::kLargest:
      return {random.one_of({0.3, 1.0, static_cast<double>(most)}), 0.0};
    default:
      return {random.one_of({-1.0, 0.5, 2.0, static_cast<double>(INFINITY)}),
              static_cast<double>(1 + random.below(2 * most))};
  }
}

template <typename T>
bool one_range(Random& random) {
  const std::vector<int64_t> shape = random_shape(random);
  RangeOptions options;
  options.kind = static_cast<RangeKind>(random.below(3));
  if (random.below(2) == 1) options.axis = random.below(static_cast<int64_t>(shape.size()));
  const SelectionGeometry geometry = range_geometry(shape, options);
  const RandomWeights weights(random, geometry.size());
  if (weights.exist()) options.kind = RangeKind::kBetween;
  const bool is_masked = !weights.exist() && random.below(2) == 1;
  // Of the ignored, the number of the others is a matter of luck: one in each group, if any.
  const RangeBounds bounds = random_bounds(random, options.kind, is_masked ? 1 : geometry.length);
  const auto n = static_cast<size_t>(geometry.size());
  const auto groups = static_cast<size_t>(geometry.groups());
  const int family = static_cast<int>(random.below(kFamilies));
  std::vector<T> values(n), gradient(n), mean(groups), upstream(groups, narrow<T>(1.0));
  for (T& value : values) value = random.residual<T>(family, 5000);
  const auto mask = std::make_unique<bool[]>(n);
  for (size_t i = 0; i < n; ++i) mask[i] = random.below(4) != 0;
  const bool* const kept = is_masked ? mask.get() : nullptr;
  std::vector<RangeState> state(groups);
  SerialExecutor executor;
  range_mean_forward(values.data(), kept, weights.on_host(), geometry, options, bounds, mean.data(),
                     state.data(), executor);
  range_mean_backward(upstream.data(), values.data(), kept, state.data(), geometry, gradient.data(),
                      executor);

  const OnDevice<T> gpu_values(values), gpu_upstream(upstream), gpu_mean(groups), gpu_gradient(n);
  const OnDevice<RangeState> gpu_state(groups);
  const OnDevice<bool> gpu_mask(mask.get(), n);
  const OnDevice<RangeBounds> gpu_bounds(&bounds, 1);
  const bool on_device = random.below(2) == 1;
  const bool* const gpu_kept = is_masked ? gpu_mask.data() : nullptr;
  {
    const Weights gpu_weights = weights.on_device();
    const OnDevice<char> workspace(cuda::range_mean_workspace<T>(geometry, options, gpu_weights));
    cuda::range_mean_forward<T>(
        gpu_values.data(), gpu_kept, gpu_weights, geometry, options,
        {on_device ? nullptr : &bounds, on_device ? gpu_bounds.data() : nullptr}, gpu_mean.data(),
        gpu_state.data(), workspace.data(), nullptr);
    require(cudaDeviceSynchronize());
  }
  cuda::range_mean_backward<T>(gpu_upstream.data(), gpu_values.data(), gpu_kept, gpu_state.data(),
                               geometry, gpu_gradient.data(), nullptr);
  require(cudaDeviceSynchronize());
  bool right = is_right("gradient", are_equal(gpu_gradient.values(), gradient));
  if (family < kWholeRange) right &= is_right("means", are_close(gpu_mean.values(), mean, 1.0));
  if (right) return true;
  print("range mean", shape, options.axis);
  std::printf("kind %d, bounds %g %g, family %d, masked %d, bounds on the device %d, weights %d\n",
              static_cast<int>(options.kind), bounds.first, bounds.second, family,
              is_masked ? 1 : 0, on_device ? 1 : 0, weights.exist() ? 1 : 0);
  return false;
}

}  // namespace
}  // namespace tailops

int main(int, char** argv) {
  using namespace tailops;
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status != cudaSuccess || devices == 0) {
    std::printf("no GPU is visible: %s\n", cudaGetErrorString(status));
    return 1;
  }
  constexpr int kKinds = 12;
  Random random;
  int wrong = 0;
  const int rounds = std::atoi(argv[1]);
  for (int round = 0; round < rounds; ++round) {
    const bool right[] = {one_problem<float>(random),     one_problem<double>(random),
                          one_problem<Float16>(random),   one_problem<BFloat16>(random),
                          one_selection<float>(random),   one_selection<double>(random),
                          one_selection<Float16>(random), one_selection<BFloat16>(random),
                          one_range<float>(random),       one_range<double>(random),
                          one_range<Float16>(random),     one_range<BFloat16>(random)};
    for (int kind = 0; kind < kKinds; ++kind) {
      if (right[kind]) continue;
      std::printf("round %d, kind %d: wrong\n", round, kind);
      ++wrong;
    }
  }
  std::printf("%d problems, %d wrong\n", kKinds * rounds, wrong);
  return wrong == 0 ? 0 : 1;
}
