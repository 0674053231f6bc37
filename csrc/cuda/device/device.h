#pragma once

// What the kernels use of CUDA, so that a test can compile the very same kernels for the host and
// run them there: tests/emulated_gpu/emulation has the other side of this header.
//
// A kernel is an object: its members are the arguments, Kernel::Shared is its shared memory, and
// run(shared, dynamic) is what every thread does. At least kLeastBlocks blocks of kMostThreads
// threads share a multiprocessor: that bounds their registers. All lanes of a warp, or all that
// `lanes` has a bit for, take part in everything that exchanges values and in a barrier of lanes;
// and all threads of a block in its barrier.

#if defined(TAILOPS_EMULATED)

#include "emulated_device.h"

#else

#include <cuda_runtime.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/device/grid.h"

#define TAILOPS_DEVICE __device__ __forceinline__
#define TAILOPS_UNROLL _Pragma("unroll")

namespace tailops {
namespace device {

constexpr int kWarp = 32;
constexpr unsigned kEveryLane = 0xffffffffu;

using Vector16 = uint4;

TAILOPS_DEVICE int thread() { return static_cast<int>(threadIdx.x); }
TAILOPS_DEVICE int threads() { return static_cast<int>(blockDim.x); }
TAILOPS_DEVICE int lane() { return thread() % kWarp; }
TAILOPS_DEVICE int warp() { return thread() / kWarp; }
TAILOPS_DEVICE int warps() { return threads() / kWarp; }
TAILOPS_DEVICE int64_t block() { return blockIdx.x; }
TAILOPS_DEVICE int64_t blocks() { return gridDim.x; }
TAILOPS_DEVICE int64_t row_of_blocks() { return blockIdx.y; }

TAILOPS_DEVICE void barrier() { __syncthreads(); }
TAILOPS_DEVICE void fence() { __threadfence(); }
TAILOPS_DEVICE void barrier_of_lanes(unsigned lanes) { __syncwarp(lanes); }
TAILOPS_DEVICE unsigned ballot(bool condition, unsigned lanes = kEveryLane) {
  return __ballot_sync(lanes, condition);
}

TAILOPS_DEVICE int count_bits(unsigned bits) { return __popc(bits); }
TAILOPS_DEVICE int first_bit(unsigned bits) { return __ffs(static_cast<int>(bits)) - 1; }
TAILOPS_DEVICE int bit_length(uint32_t bits) { return 32 - __clz(static_cast<int>(bits)); }
TAILOPS_DEVICE int bit_length(uint64_t bits) { return 64 - __clzll(static_cast<long long>(bits)); }

// The value that another lane has; any value that can be copied byte by byte.
template <typename Value>
TAILOPS_DEVICE Value shuffle(const Value& value, int from, unsigned lanes = kEveryLane) {
  static_assert(sizeof(Value) % sizeof(unsigned) == 0, "moved in words");
  constexpr int kWords = sizeof(Value) / sizeof(unsigned);
  unsigned words[kWords];
  memcpy(words, &value, sizeof(Value));
  TAILOPS_UNROLL
  for (int i = 0; i < kWords; ++i) words[i] = __shfl_sync(lanes, words[i], from);
  Value moved;
  memcpy(&moved, words, sizeof(Value));
  return moved;
}

// The value that the lane so far below has; the first lanes keep their own.
TAILOPS_DEVICE int shuffle_up(int value, int distance) {
  return __shfl_up_sync(kEveryLane, value, static_cast<unsigned>(distance));
}

TAILOPS_DEVICE unsigned atomic_add(unsigned* to, unsigned value) { return atomicAdd(to, value); }
TAILOPS_DEVICE void atomic_add(uint64_t* to, uint64_t value) {
  static_assert(sizeof(unsigned long long) == sizeof(uint64_t), "the atomic's type");
  atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
}

TAILOPS_DEVICE void atomic_max(unsigned* of, unsigned value) { atomicMax(of, value); }
TAILOPS_DEVICE void atomic_max(uint64_t* of, uint64_t value) {
  atomicMax(reinterpret_cast<unsigned long long*>(of), static_cast<unsigned long long>(value));
}

// To global memory in one piece, which an assignment may not be.
TAILOPS_DEVICE void store(Vector16* to, const Vector16& value) {
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};"
               :
               : "l"(__cvta_generic_to_global(to)), "r"(value.x), "r"(value.y), "r"(value.z),
                 "r"(value.w)
               : "memory");
}

// What other blocks of this launch have written, past this multiprocessor's own cache. The clobber
// keeps it behind the fence or the barrier that says that it is written; __ldcg has none.
TAILOPS_DEVICE unsigned load_fresh(const unsigned* from) {
  unsigned value;
  asm volatile("ld.relaxed.gpu.u32 %0, [%1];" : "=r"(value) : "l"(from) : "memory");
  return value;
}
TAILOPS_DEVICE uint64_t load_fresh(const uint64_t* from) {
  unsigned long long value;
  asm volatile("ld.relaxed.gpu.u64 %0, [%1];" : "=l"(value) : "l"(from) : "memory");
  return value;
}
TAILOPS_DEVICE float load_fresh(const float* from) {
  return __uint_as_float(load_fresh(reinterpret_cast<const unsigned*>(from)));
}
TAILOPS_DEVICE double load_fresh(const double* from) {
  return __longlong_as_double(
      static_cast<long long>(load_fresh(reinterpret_cast<const uint64_t*>(from))));
}

template <typename Kernel>
__global__ void __launch_bounds__(Kernel::kMostThreads, Kernel::kLeastBlocks)
    run_kernel(const Kernel kernel) {
  __shared__ typename Kernel::Shared shared;
  extern __shared__ __align__(16) unsigned char dynamic[];
  kernel.run(shared, dynamic);
}

// What is thrown is not left for others as well, who would take it for their own.
inline void require(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
}

// Loads a kernel, and lets it have all the dynamic shared memory that there is, once for each
// device. Not what one launch needs: another thread, whose launch needs more, would find it taken
// away again.
template <typename Kernel>
void prepare_kernel() {
  static std::atomic<uint64_t> prepared{0};
  int device = 0, most = 0;
  require(cudaGetDevice(&device), "device");
  const uint64_t own = device < 64 ? uint64_t{1} << device : 0;
  if ((prepared.load(std::memory_order_relaxed) & own) != 0) return;
  require(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "shared memory of the device");
  cudaFuncAttributes of_kernel;
  require(cudaFuncGetAttributes(&of_kernel, run_kernel<Kernel>), "shared memory of a kernel");
  require(cudaFuncSetAttribute(run_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               most - static_cast<int>(of_kernel.sharedSizeBytes)),
          "shared memory");
  prepared.fetch_or(own, std::memory_order_relaxed);
}

// What prepares each kernel of this library.
inline std::vector<void (*)()>& preparations() {
  static std::vector<void (*)()> all;
  return all;
}

// A kernel that something launches is in the list from when the library is loaded.
template <typename Kernel>
struct Listed {
  static const bool is;
};
template <typename Kernel>
const bool Listed<Kernel>::is = (preparations().push_back(prepare_kernel<Kernel>), true);

// Before a capture: a kernel is loaded when it is first asked for, and not every driver does that
// while a stream is captured.
inline void prepare() {
  for (void (*const prepare_one)() : preparations()) prepare_one();
}

template <typename Kernel>
void launch(const Kernel& kernel, const Grid& grid, void* stream) {
  static_cast<void>(Listed<Kernel>::is);
  constexpr int64_t kAlwaysThere = 48 << 10;
  if (grid.dynamic_bytes + static_cast<int64_t>(sizeof(typename Kernel::Shared)) > kAlwaysThere) {
    prepare_kernel<Kernel>();
  }
  const dim3 blocks(static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.rows));
  const dim3 threads(static_cast<unsigned>(grid.threads));
  Kernel argument = kernel;
  void* arguments[] = {&argument};
  // Its own status: cudaGetLastError would take, and clear, what others have left.
  require(
      cudaLaunchKernel(run_kernel<Kernel>, blocks, threads, arguments,
                       static_cast<size_t>(grid.dynamic_bytes), static_cast<cudaStream_t>(stream)),
      "launch");
}

}  // namespace device
}  // namespace tailops

#endif
