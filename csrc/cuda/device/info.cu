// What this build is made of and runs on; and the floors that the benchmarks measure against.

#include <algorithm>

#include "cuda/device/block.h"
#include "cuda/device/ceiling.h"
#include "cuda/device/info.h"
#include "cuda/device/limits_of_device.h"

namespace tailops {
namespace cuda {
namespace {

struct ReadTwo {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 4;
  struct Shared {
    float warps[kMostWarps];
  };

  const float4* a;
  const float4* b;
  int64_t vectors;
  float* out;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const int64_t workers = device::blocks() * device::threads();
    float sum = 0.0f;
    int64_t v = device::block() * device::threads() + device::thread();
    for (; v + workers < vectors; v += 2 * workers) {
      const float4 x = a[v], y = b[v], z = a[v + workers], w = b[v + workers];
      sum += x.x + x.y + x.z + x.w + y.x + y.y + y.z + y.w;
      sum += z.x + z.y + z.z + z.w + w.x + w.y + w.z + w.w;
    }
    for (; v < vectors; v += workers) {
      const float4 x = a[v], y = b[v];
      sum += x.x + x.y + x.z + x.w + y.x + y.y + y.z + y.w;
    }
    sum = block_reduce(sum, shared.warps, Add());
    // Never true of benchmark data, and the compiler cannot know.
    if (device::thread() == 0 && sum == -1.0f) *out = sum;
  }
};

struct ReadTwoWriteOne {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 4;
  struct Shared {};

  const float4* a;
  const float4* b;
  float4* out;
  int64_t vectors;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const int64_t workers = device::blocks() * device::threads();
    int64_t v = device::block() * device::threads() + device::thread();
    for (; v < vectors; v += workers) {
      const float4 x = a[v], y = b[v];
      out[v] = float4{x.x - y.x, x.y - y.y, x.z - y.z, x.w - y.w};
    }
  }
};

device::Grid grid_for(int64_t vectors, int64_t blocks_per_multiprocessor) {
  const Limits limits = limits_of_device();
  const int64_t most = limits.multiprocessors * blocks_per_multiprocessor;
  return {std::clamp<int64_t>(ceiling(vectors, 256), 1, most), 1, 256, 0};
}

}  // namespace

void read_two(const float* a, const float* b, int64_t n, void* workspace, void* stream) {
  const ReadTwo kernel{reinterpret_cast<const float4*>(a), reinterpret_cast<const float4*>(b),
                       n / 4, static_cast<float*>(workspace)};
  device::launch(kernel, grid_for(n / 4, 8), stream);
}

void read_two_write_one(const float* a, const float* b, float* out, int64_t n, void* stream) {
  const ReadTwoWriteOne kernel{reinterpret_cast<const float4*>(a),
                               reinterpret_cast<const float4*>(b), reinterpret_cast<float4*>(out),
                               n / 4};
  device::launch(kernel, grid_for(n / 4, 8), stream);
}

std::string toolkit() {
  return std::to_string(__CUDACC_VER_MAJOR__) + "." + std::to_string(__CUDACC_VER_MINOR__);
}

std::string architectures() { return TAILOPS_CUDA_ARCHITECTURES; }

void prepare() { device::prepare(); }

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();  // no driver is no error
  return 0;
}

}  // namespace cuda
}  // namespace tailops
