#pragma once

// The errors of a batch, written into a window.

#include <cstdint>

#include "cuda/device/block.h"
#include "cuda/device/shares.h"
#include "cuda/loss/errors.h"
#include "formulas/window.h"

namespace tailops {
namespace cuda {

template <typename C>
struct CopyWindow {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {};

  const C* from;
  C* to;
  int64_t size;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const int64_t workers = device::blocks() * device::threads();
    int64_t i = device::block() * device::threads() + device::thread();
    for (; i < size; i += workers) to[i] = from[i];
  }
};

// By one block: it looks from the end of the batch for as many valid elements as the window has
// room for, and then writes them in their order. What does not fit is not even read.
template <typename T>
struct Remember {
  using C = ComputeType<T>;

  static constexpr int kMostThreads = 1024;
  static constexpr int kLeastBlocks = 1;
  struct Shared {
    int64_t counts[kMostWarps];
    int of_warps[kMostWarps];
    C written;
  };

  Call<T> call;
  const C* written_before;
  bool frozen;
  Window<C> after;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    if (device::thread() == 0) shared.written = *written_before;
    device::barrier();
    const WindowPlace place = place_in_window(shared.written, after.size);
    int64_t count = 0;
    if (!(frozen && place.filled != 0)) count = write_last(place.next, shared);
    if (device::thread() == 0) *after.written = written_behind<C>(place, count, after.size);
  }

 private:
  // Returns how many.
  TAILOPS_DEVICE int64_t write_last(int64_t next, Shared& shared) const {
    const Elements<T> batch = call.group(0);
    const int threads = device::threads();
    int64_t first = batch.length, valid = 0;
    while (first > 0 && valid < after.size) {
      const int64_t end = first;
      first = end > threads ? end - threads : 0;
      C residual;
      const int64_t k = first + device::thread();
      const bool is_valid = k < end && batch.load(k, residual);
      valid += block_reduce(int64_t{is_valid}, shared.counts, Add());
    }
    const int64_t count = valid < after.size ? valid : after.size;
    int64_t rank = count - valid;  // of the next valid element among those that are written
    for (; first < batch.length; first += threads) {
      C residual{};
      const int64_t k = first + device::thread();
      const bool is_valid = k < batch.length && batch.load(k, residual);
      int in_chunk;
      const int before = count_before(is_valid, shared.of_warps, in_chunk);
      const int64_t own = rank + before;
      if (is_valid && own >= 0) {
        after.errors[(next + own) % after.size] = error_of(call.error_kind, call.epsilon, residual);
      }
      rank += in_chunk;
    }
    return count;
  }

  // For how many threads before this one the condition holds, and for how many of the block.
  static TAILOPS_DEVICE int count_before(bool condition, int* of_warps, int& in_block) {
    const unsigned lanes = device::ballot(condition);
    if (device::lane() == 0) of_warps[device::warp()] = device::count_bits(lanes);
    device::barrier();
    int before = device::count_bits(lanes & ((1u << device::lane()) - 1));
    in_block = 0;
    for (int w = 0; w < device::warps(); ++w) {
      if (w < device::warp()) before += of_warps[w];
      in_block += of_warps[w];
    }
    device::barrier();
    return before;
  }
};

template <typename T>
void launch_remember(const Call<T>& call, const Window<const ComputeType<T>>& before, bool frozen,
                     const Window<ComputeType<T>>& after, const Limits& limits, void* stream) {
  using C = ComputeType<T>;
  if (after.errors != before.errors) {
    const int64_t bytes = before.size * static_cast<int64_t>(sizeof(C));
    const device::Grid grid{blocks_for(bytes, limits), 1, limits.grid_threads, 0};
    device::launch(CopyWindow<C>{before.errors, after.errors, before.size}, grid, stream);
  }
  const int threads = threads_for(call.length, Remember<T>::kMostThreads, 1);
  device::launch(Remember<T>{call, before.written, frozen, after}, {1, 1, threads, 0}, stream);
}

}  // namespace cuda
}  // namespace tailops
