#pragma once

// The gradient of selection, in one launch: each element compares itself with what was selected
// from its group.

#include "cuda/device/in_column.h"
#include "cuda/device/vectors.h"
#include "cuda/quantile/call.h"

namespace tailops {
namespace cuda {

template <typename T>
struct SelectionGradientCall : Groups {
  using C = ComputeType<T>;
  using Shares = SelectionShares<C>;

  const T* x;
  const T* upstream;
  const SelectionState* state;
  int64_t q_count;
  T* gradient;

  TAILOPS_DEVICE Shares shares_of(int64_t g, int64_t q) const {
    const double arriving = static_cast<double>(widen(upstream[q * groups() + g]));
    return selection_shares<C>(state[g * q_count + q], arriving);
  }

  static TAILOPS_DEVICE void add(const Shares& shares, T value, C& sum) {
    const C x_here = widen(value);
    sum += shares.of_all;
    if (x_here == shares.lower) sum += shares.lower_share;
    if (x_here == shares.upper) sum += shares.upper_share;
  }

  static TAILOPS_DEVICE T rounded(C sum) { return narrow<T>(static_cast<double>(sum)); }
};

// Where a group's elements lie side by side.
template <typename T>
struct SelectionGradient {
  using C = ComputeType<T>;
  using Shares = SelectionShares<C>;
  using B = Batch<Values<T>>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {};

  SelectionGradientCall<T> call;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const Vectors vectors(Values<T>{call.x, 1, call.size()});
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    vectors.for_each(worker, workers, [&](const B& batch) {
      T values[B::kSize];
      TAILOPS_UNROLL
      for (int u = 0; u < B::kVectors; ++u) {
        C sums[B::kLanes];
        add_up(batch, u, sums);
        TAILOPS_UNROLL
        for (int i = 0; i < B::kLanes; ++i) values[u * B::kLanes + i] = call.rounded(sums[i]);
      }
      vectors.store(batch, values, call.gradient);
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
    if (inside == kWhole && at.along + B::kLanes <= call.length) {
      for (int64_t q = 0; q < call.q_count; ++q) {
        const Shares shares = call.shares_of(at.group, q);
        TAILOPS_UNROLL
        for (int i = 0; i < B::kLanes; ++i) {
          call.add(shares, batch.values[u * B::kLanes + i], sums[i]);
        }
      }
      return;
    }
    TAILOPS_UNROLL
    for (int i = 0; i < B::kLanes; ++i) {
      if (!(inside >> i & 1u)) continue;
      for (int64_t q = 0; q < call.q_count; ++q) {
        call.add(call.shares_of(at.group, q), batch.values[u * B::kLanes + i], sums[i]);
      }
      if (++at.along == call.length) at = {at.group + 1, 0};
    }
  }

  // Of an element: flat is group · length + along.
  struct Place {
    int64_t group;
    int64_t along;
  };

  TAILOPS_DEVICE Place place_of(int64_t flat) const {
    constexpr int64_t kIn32Bits = int64_t{1} << 32;  // such a division takes a third of the time
    if (flat < kIn32Bits && call.length < kIn32Bits) {
      const uint32_t of = static_cast<uint32_t>(flat), length = static_cast<uint32_t>(call.length);
      const uint32_t group = of / length;
      return {group, of - group * length};
    }
    const int64_t group = flat / call.length;
    return {group, flat - group * call.length};
  }
};

// Of columns: a thread stays in its own, and keeps what the first few q have selected from it.
template <typename T>
struct ColumnSelectionGradient {
  using C = ComputeType<T>;
  using Shares = SelectionShares<C>;

  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = sizeof(C) == sizeof(float) ? 4 : 2;
  static constexpr int kKept = 3;
  struct Shared {};

  SelectionGradientCall<T> call;
  ColumnPlan plan;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const InColumn at(plan);
    if (!at.exists) return;
    Shares kept[kKept] = {};
    TAILOPS_UNROLL
    for (int q = 0; q < kKept; ++q) {
      if (q < call.q_count) kept[q] = call.shares_of(at.group, q);
    }
    const int64_t first = call.first_of(at.group);
    const Values<T> column{call.x + first, call.inner, call.length};
    at.for_each(plan, column, [&](int64_t k, T value, bool) {
      C sum = C(0);
      // Shares of nothing add nothing.
      TAILOPS_UNROLL
      for (int q = 0; q < kKept; ++q) call.add(kept[q], value, sum);
      for (int64_t q = kKept; q < call.q_count; ++q) {
        call.add(call.shares_of(at.group, q), value, sum);
      }
      call.gradient[first + k * call.inner] = call.rounded(sum);
    });
  }
};

}  // namespace cuda
}  // namespace tailops
