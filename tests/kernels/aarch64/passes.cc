// The kernels behind a pipe, for a processor that Python does not run on: requests come in, each
// followed by its arrays; results go out.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "../../options_of.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/quantile/quantile.h"
#include "cpu/simd/loops.h"
#include "python/threads_executor.h"

namespace tailops {
namespace {

enum Pass : int64_t { kForward, kBackward, kSelectForward, kSelectBackward };

struct Request {
  int64_t pass;
  int64_t dtype;
  int64_t dimensions;
  int64_t shape[3];
  int64_t axis;  // −1: none
  int64_t threads;
  int64_t method;
  int64_t ignore_nan;
  int64_t q_count;
  int64_t reduction;
  int64_t error_kind;
  int64_t gradient_mode;
  int64_t smoothing_unit;
  int64_t selection;
  int64_t has_mask;
  int64_t has_ignore_value;
  double ignore_value;
  double percentile;
  double smoothing_factor;
  double error_scale;
  double beta;
  double epsilon;

  std::vector<int64_t> shape_of_input() const { return {shape, shape + dimensions}; }
  std::optional<int64_t> chosen_axis() const {
    return axis < 0 ? std::nullopt : std::optional<int64_t>(axis);
  }
};

template <typename T>
std::unique_ptr<T[]> received(int64_t count) {
  std::unique_ptr<T[]> values(new T[static_cast<size_t>(count)]);
  if (std::fread(values.get(), sizeof(T), static_cast<size_t>(count), stdin) !=
      static_cast<size_t>(count)) {
    std::exit(1);
  }
  return values;
}

template <typename T>
void send(const std::vector<T>& values) {
  std::fwrite(values.data(), sizeof(T), values.size(), stdout);
}

template <typename T>
void tail_loss(const Request& request, Executor& executor) {
  const Geometry geometry = make_geometry(request.shape_of_input(), request.chosen_axis(),
                                          static_cast<Reduction>(request.reduction));
  const Options options = options_of(request);
  const int64_t n = geometry.size(), groups = geometry.groups();
  const auto y_true = received<T>(n), y_pred = received<T>(n);
  const auto mask = request.has_mask != 0 ? received<bool>(n) : nullptr;
  if (request.pass == kForward) {
    std::vector<T> loss(static_cast<size_t>(geometry.rows()));
    std::vector<GroupState> state(static_cast<size_t>(groups));
    tail_loss_forward(y_true.get(), y_pred.get(), mask.get(), geometry, options, loss.data(),
                      state.data(), executor);
    send(loss);
    send(state);
  } else {
    const auto upstream = received<T>(geometry.rows());
    const auto state = received<GroupState>(groups);
    std::vector<T> gradient(static_cast<size_t>(n));
    tail_loss_backward(upstream.get(), y_true.get(), y_pred.get(), mask.get(), state.get(),
                       geometry, options, gradient.data(), executor);
    send(gradient);
  }
}

template <typename T>
void selection(const Request& request, Executor& executor) {
  SelectionOptions options;
  options.method = static_cast<int>(request.method);
  options.ignore_nan = request.ignore_nan != 0;
  options.axis = request.chosen_axis();
  const SelectionGeometry geometry = selection_geometry(request.shape_of_input(), options);
  const int64_t count = request.q_count, values = count * geometry.groups();
  const auto x = received<T>(geometry.size());
  if (request.pass == kSelectForward) {
    const auto q = received<double>(count);
    std::vector<T> value(static_cast<size_t>(values));
    std::vector<SelectionState> state(static_cast<size_t>(values));
    select_forward(x.get(), {}, geometry, options, q.get(), count, value.data(), state.data(),
                   executor);
    send(value);
    send(state);
  } else if constexpr (!std::is_integral_v<T>) {
    const auto upstream = received<T>(values);
    const auto state = received<SelectionState>(values);
    std::vector<T> gradient(static_cast<size_t>(geometry.size()));
    select_backward(upstream.get(), x.get(), state.get(), geometry, count, gradient.data(),
                    executor);
    send(gradient);
  }
}

template <typename T>
void run(const Request& request) {
  ThreadsExecutor executor(static_cast<int>(request.threads));
  if constexpr (!std::is_integral_v<T>) {
    if (request.pass < kSelectForward) return tail_loss<T>(request, executor);
  }
  selection<T>(request, executor);
}

constexpr void (*kRuns[])(const Request&) = {run<float>,    run<double>,  run<Float16>,
                                             run<BFloat16>, run<int8_t>,  run<int32_t>,
                                             run<int64_t>,  run<uint64_t>};

}  // namespace
}  // namespace tailops

int main() {
  using namespace tailops;
  std::printf("%s\n", instruction_set().c_str());
  std::fflush(stdout);
  Request request;
  while (std::fread(&request, sizeof(request), 1, stdin) == 1) {
    kRuns[request.dtype](request);
    std::fflush(stdout);
  }
}
