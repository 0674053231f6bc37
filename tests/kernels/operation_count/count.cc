// Counts the basic blocks that the kernels execute. The kernels are compiled with
// -fsanitize-coverage=trace-pc, which calls the function below at the start of each block; this
// file is not. Prints a line "n forward backward" for each n given.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "cpu/loss/tail_loss.h"

namespace {
int64_t blocks = 0;
}

extern "C" void __sanitizer_cov_trace_pc() { ++blocks; }

int main(int argc, char** argv) {
  const std::string family = argv[1];
  for (int a = 2; a < argc; ++a) {
    const int64_t n = std::atoll(argv[a]);
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform;
    std::vector<float> y_true(n, 0.0f), y_pred(n), gradient(n);
    for (int64_t i = 0; i < n; ++i) {
      if (family == "random") y_pred[i] = uniform(random);
      if (family == "constant") y_pred[i] = 0.5f;
      if (family == "sorted") y_pred[i] = static_cast<float>(i) / static_cast<float>(n);
      if (family == "few_values") y_pred[i] = static_cast<float>(random() % 4);
    }
    tailops::Options options;
    const tailops::Geometry geometry =
        tailops::make_geometry({n}, std::nullopt, tailops::Reduction::kMean);
    float loss, upstream = 1.0f;
    tailops::GroupState state;
    tailops::SerialExecutor executor;

    blocks = 0;
    tailops::tail_loss_forward(y_true.data(), y_pred.data(), nullptr, geometry, options, &loss,
                               &state, executor);
    const int64_t forward = blocks;
    blocks = 0;
    tailops::tail_loss_backward(&upstream, y_true.data(), y_pred.data(), nullptr, &state, geometry,
                                options, gradient.data(), executor);
    std::printf("%lld %lld %lld\n", static_cast<long long>(n), static_cast<long long>(forward),
                static_cast<long long>(blocks));
  }
}
