#pragma once

// The gradient of selection, in one launch: each element compares itself with what was selected
// from its group. Columns need no care: neighbours are of neighbouring groups.

#include "selection_call.h"
#include "vectors.h"

namespace tailops {
namespace cuda {

template <typename T>
struct SelectionGradient {
  using C = ComputeType<T>;
  using B = Batch<Values<T>>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {};

  Groups groups;
  const T* x;
  const T* upstream;
  const SelectionState* state;
  int64_t q_count;
  T* gradient;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const Vectors vectors(Values<T>{x, 1, groups.size()});
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    vectors.for_each(worker, workers, [&](const B& batch) {
      T values[B::kSize];
      TAILOPS_UNROLL
      for (int u = 0; u < B::kVectors; ++u) {
        C sums[B::kLanes];
        add_up(batch, u, sums);
        TAILOPS_UNROLL
        for (int i = 0; i < B::kLanes; ++i) {
          values[u * B::kLanes + i] = narrow<T>(static_cast<double>(sums[i]));
        }
      }
      vectors.store(batch, values, gradient);
    });
  }

 private:
  TAILOPS_DEVICE void add_up(const B& batch, int u, C (&sums)[B::kLanes]) const {
    constexpr unsigned kWhole = (1u << B::kLanes) - 1;
    const unsigned inside = batch.inside >> (u * B::kLanes) & kWhole;
    TAILOPS_UNROLL
    for (int i = 0; i < B::kLanes; ++i) sums[i] = C(0);
    if (inside == 0) return;
    Place at = place_of(batch.first[u] < 0 ? 0 : batch.first[u]);
    if (groups.inner == 1 && inside == kWhole && at.along + B::kLanes <= groups.length) {
      for (int64_t q = 0; q < q_count; ++q) {
        const SelectionShares<C> shares = shares_of(at.outer, q);
        TAILOPS_UNROLL
        for (int i = 0; i < B::kLanes; ++i) {
          add(shares, batch.values[u * B::kLanes + i], sums[i]);
        }
      }
      return;
    }
    TAILOPS_UNROLL
    for (int i = 0; i < B::kLanes; ++i) {
      if (!(inside >> i & 1u)) continue;
      for (int64_t q = 0; q < q_count; ++q) {
        const auto shares = shares_of(at.outer * groups.inner + at.inner, q);
        add(shares, batch.values[u * B::kLanes + i], sums[i]);
      }
      advance(at);
    }
  }

  // Of an element: flat is (outer · length + along) · inner + inner.
  struct Place {
    int64_t outer;
    int64_t along;
    int64_t inner;
  };

  TAILOPS_DEVICE Place place_of(int64_t flat) const {
    constexpr int64_t kNarrow = int64_t{1} << 32;  // such divisions take a third of the time
    if (flat < kNarrow && groups.inner < kNarrow && groups.length < kNarrow) {
      const uint32_t of = static_cast<uint32_t>(flat);
      const uint32_t inner = static_cast<uint32_t>(groups.inner), row = of / inner;
      const uint32_t length = static_cast<uint32_t>(groups.length), outer = row / length;
      return {outer, row - outer * length, of - row * inner};
    }
    const int64_t row = flat / groups.inner, outer = row / groups.length;
    return {outer, row - outer * groups.length, flat - row * groups.inner};
  }

  TAILOPS_DEVICE void advance(Place& at) const {
    if (++at.inner < groups.inner) return;
    at.inner = 0;
    if (++at.along < groups.length) return;
    at.along = 0;
    ++at.outer;
  }

  TAILOPS_DEVICE SelectionShares<C> shares_of(int64_t g, int64_t q) const {
    const double arriving = static_cast<double>(widen(upstream[q * groups.groups() + g]));
    return selection_shares<C>(state[g * q_count + q], arriving);
  }

  static TAILOPS_DEVICE void add(const SelectionShares<C>& shares, T value, C& sum) {
    const C x_here = widen(value);
    sum += shares.of_all;
    if (x_here == shares.lower) sum += shares.lower_share;
    if (x_here == shares.upper) sum += shares.upper_share;
  }
};

}  // namespace cuda
}  // namespace tailops
