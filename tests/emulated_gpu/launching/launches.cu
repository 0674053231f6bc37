// What csrc/cuda/device/device.h asks of the CUDA runtime, which is runtime.h's. Prints what is
// not as it should be.

#include <cstdio>
#include <stdexcept>
#include <string>

#include "cuda/device/device.h"
#include "runtime.h"

namespace {

namespace device = tailops::device;

template <int n>
struct Store {
  static constexpr int kMostThreads = 64;
  static constexpr int kLeastBlocks = 1;
  struct Shared {};

  int* out;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const { *out = n; }
};

template <int n>
void launch(int64_t dynamic_bytes) {
  device::launch(Store<n>{nullptr}, {1, 1, 64, dynamic_bytes}, nullptr);
}

int problems = 0;

void expect(bool right, const char* what) {
  if (right) return;
  std::printf("not so: %s\n", what);
  ++problems;
}

}  // namespace

int main() {
  expect(runtime().registered.size() == 3, "there are three kernels");
  device::prepare();
  expect(runtime().loaded == runtime().registered, "all are loaded, before one is launched");
  expect(runtime().with_all_shared_memory == runtime().registered, "with all the shared memory");

  runtime().last_error = cudaErrorMemoryAllocation;  // somebody else's
  try {
    launch<0>(0);
    launch<1>(100 << 10);
  } catch (const std::runtime_error& problem) {
    expect(false, problem.what());
  }
  expect(runtime().launches == 2, "the error of somebody else stops no launch");
  expect(cudaGetLastError() == cudaErrorMemoryAllocation, "and is not taken from them");

  runtime().status_of_launch = cudaErrorInvalidConfiguration;
  try {
    launch<2>(0);
    expect(false, "a launch that fails throws");
  } catch (const std::runtime_error& problem) {
    expect(problem.what() == std::string("CUDA: launch: invalid configuration"), problem.what());
  }
  expect(cudaGetLastError() == cudaSuccess, "what is thrown is not left for others");
  return problems;
}
