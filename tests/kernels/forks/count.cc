// How a call's work is shared out: an executor that claims some threads, runs the ranges itself,
// and counts. For every "pass outer length inner threads" of the arguments it prints how often the
// call forked, and into how many ranges at most and at least.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cpu/loss/tail_loss.h"
#include "cpu/quantile/quantile.h"

namespace tailops {
namespace {

class CountingExecutor final : public Executor {
 public:
  explicit CountingExecutor(int threads) : threads_(threads) {}

  int concurrency() const override { return threads_; }

  void run(int64_t count, int64_t elements, const Body& body) override {
    const int64_t ranges = std::min<int64_t>(threads_, count);
    ++forks;
    most = std::max(most, ranges);
    if (count * elements >= threads_ * kParallelElements) fewest = std::min(fewest, ranges);
    for (int64_t r = 0; r < ranges; ++r) body(count * r / ranges, count * (r + 1) / ranges);
  }

  int64_t forks = 0;
  int64_t most = 1;                                      // ranges
  int64_t fewest = std::numeric_limits<int64_t>::max();  // where there is work for all threads

 private:
  const int threads_;
};

// Neither sorted nor tied.
float residual(int64_t i) {
  return static_cast<float>(static_cast<uint32_t>(i) * 2654435761u >> 8) * 0x1p-24f;
}

struct Call {
  int64_t outer;
  int64_t length;  // of a group
  int64_t inner;
  int threads;

  std::vector<int64_t> shape() const {
    return inner == 1 ? std::vector<int64_t>{outer, length}
                      : std::vector<int64_t>{outer, length, inner};
  }
};

void loss_and_gradient(const Call& call, std::optional<int64_t> axis, bool ignore_nan,
                       Executor& forward, Executor& backward) {
  const bool rows = call.inner == 1;
  const Geometry geometry =
      make_geometry(call.shape(), axis, rows ? Reduction::kPerSample : Reduction::kMean);
  Options options;
  options.ignore_nan = ignore_nan;
  const auto size = static_cast<size_t>(geometry.size());
  std::vector<float> zeros(size), x(size), slope(size);
  for (size_t i = 0; i < size; ++i) x[i] = residual(static_cast<int64_t>(i));
  std::vector<float> loss(static_cast<size_t>(geometry.rows())), upstream(loss.size(), 1.0f);
  std::vector<GroupState> state(static_cast<size_t>(geometry.groups()));
  tail_loss_forward(zeros.data(), x.data(), nullptr, geometry, options, loss.data(), state.data(),
                    forward);
  tail_loss_backward(upstream.data(), zeros.data(), x.data(), nullptr, state.data(), geometry,
                     options, slope.data(), backward);
}

void selection_and_gradient(const Call& call, Executor& forward, Executor& backward) {
  SelectionOptions options;
  options.axis = 1;
  const SelectionGeometry geometry = selection_geometry(call.shape(), options);
  const auto size = static_cast<size_t>(geometry.size());
  std::vector<float> x(size), slope(size);
  for (size_t i = 0; i < size; ++i) x[i] = residual(static_cast<int64_t>(i));
  std::vector<float> value(static_cast<size_t>(geometry.groups())), upstream(value.size(), 1.0f);
  std::vector<SelectionState> state(value.size());
  const double q = 0.99;
  select_forward(x.data(), {}, geometry, options, &q, 1, value.data(), state.data(), forward);
  select_backward(upstream.data(), x.data(), state.data(), geometry, 1, slope.data(), backward);
}

void count(const std::string& pass, const Call& call) {
  SerialExecutor serial;
  CountingExecutor counted(call.threads);
  if (pass == "forward") loss_and_gradient(call, 1, false, counted, serial);
  if (pass == "forward, ignoring") loss_and_gradient(call, 1, true, counted, serial);
  if (pass == "forward, one group") loss_and_gradient(call, std::nullopt, false, counted, serial);
  if (pass == "backward") loss_and_gradient(call, 1, false, serial, counted);
  if (pass == "selection") selection_and_gradient(call, counted, serial);
  if (pass == "selection's gradient") selection_and_gradient(call, serial, counted);
  std::printf("%lld %lld %lld\n", static_cast<long long>(counted.forks),
              static_cast<long long>(counted.most), static_cast<long long>(counted.fewest));
}

}  // namespace
}  // namespace tailops

int main(int argc, char** argv) {
  for (int a = 1; a + 4 < argc; a += 5) {
    tailops::count(argv[a], {std::atoll(argv[a + 1]), std::atoll(argv[a + 2]),
                             std::atoll(argv[a + 3]), std::atoi(argv[a + 4])});
  }
}
