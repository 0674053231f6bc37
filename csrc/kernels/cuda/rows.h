#pragma once

// The losses where each row has one: a row is an element, or what lies along the last axis.

#include "../float_types.h"
#include "block.h"
#include "errors.h"

namespace tailops {
namespace cuda {

// From here on a row is a warp's, and below a thread's.
constexpr int64_t kWarpRow = 32;

template <typename T>
struct RowLosses {
  using C = ComputeType<T>;

  // L of the element at this place of the tensor.
  TAILOPS_DEVICE static C element(const Call<T>& call, int64_t flat, const Tail<C>& tail) {
    const Elements<T> all{call.inputs, 1, 0};
    C d;
    if (!all.residual(flat, d)) return C(0);
    const C e = error_of(call.error_kind, call.weights.epsilon, d);
    return formulas_of(call.weights).mixed(d, weighted_error(e, tail, call.weights));
  }

  // The sum over a row's elements [begin, end), by one thread or by a warp's lanes, of which lane 0
  // gets it. tail_at(flat) is the tail of an element's group.
  template <typename TailAt>
  TAILOPS_DEVICE static double sum(const Call<T>& call, int64_t begin, int64_t end, int first,
                                   int step, const TailAt& tail_at) {
    double total = 0.0;
    for (int64_t flat = begin + first; flat < end; flat += step) {
      total += static_cast<double>(element(call, flat, tail_at(flat)));
    }
    return total;
  }

  TAILOPS_DEVICE static double of_lanes(double value) {
    TAILOPS_UNROLL
    for (int distance = device::kWarp / 2; distance > 0; distance /= 2) {
      value += device::shuffle(value, (device::lane() + distance) % device::kWarp);
    }
    return value;
  }

  // Writes the losses of rows [begin, end), as one of `workers` threads that all call this.
  template <typename TailAt>
  TAILOPS_DEVICE static void write(const Call<T>& call, int64_t begin, int64_t end, int64_t worker,
                                   int64_t workers, const TailAt& tail_at, T* loss) {
    const int64_t length = call.row_length;
    if (length < kWarpRow) {
      for (int64_t row = begin + worker; row < end; row += workers) {
        const double total = sum(call, row * length, (row + 1) * length, 0, 1, tail_at);
        loss[row] = narrow<T>(total * call.row_scale);
      }
      return;
    }
    const int64_t step = workers / device::kWarp;
    for (int64_t row = begin + worker / device::kWarp; row < end; row += step) {
      const double total = of_lanes(
          sum(call, row * length, (row + 1) * length, device::lane(), device::kWarp, tail_at));
      if (device::lane() == 0) loss[row] = narrow<T>(total * call.row_scale);
    }
  }
};

// The tails of groups that are known by now: of one group, or looked up for each element.
template <typename T>
struct TailOfElement {
  using C = ComputeType<T>;

  const Call<T>& call;
  const GroupState* state;
  bool is_one;
  Tail<C> one;

  TAILOPS_DEVICE TailOfElement(const Call<T>& of, const GroupState* states)
      : call(of), state(states), is_one(of.outer == 1 && of.inner == 1) {
    if (is_one) one = tail_of(state[0], call.weights);
  }

  TAILOPS_DEVICE Tail<C> operator()(int64_t flat) const {
    return is_one ? one : tail_of(state[call.group_of(flat)], call.weights);
  }
};

// All rows of the tensor, or parts of long ones: then their sums, to be added up by RowTotals.
template <typename T>
struct WriteRows {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {};

  Call<T> call;
  const GroupState* state;
  int64_t rows;
  int64_t parts;  // of a row
  int64_t part;   // elements of one
  double* sums;   // [rows][parts], where there is more than one
  T* loss;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    using Losses = RowLosses<T>;
    const TailOfElement<T> tail_at(call, state);
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    if (parts == 1) return Losses::write(call, 0, rows, worker, workers, tail_at, loss);
    for (int64_t p = worker / device::kWarp; p < rows * parts; p += workers / device::kWarp) {
      const int64_t begin = p % parts * part, row = p / parts * call.row_length;
      const int64_t end = begin + part < call.row_length ? begin + part : call.row_length;
      const double total = Losses::of_lanes(
          Losses::sum(call, row + begin, row + end, device::lane(), device::kWarp, tail_at));
      if (device::lane() == 0) sums[p] = total;
    }
  }
};

// loss[r] = scale · Σ sums[r][·], added in a fixed order by a block per row; for the losses of
// groups as well, whose sum is the one row.
template <typename T>
struct RowTotals {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    double warps[kMostWarps];
  };

  const double* sums;
  int64_t parts;
  double scale;
  T* loss;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const double* const own = sums + device::block() * parts;
    double total = 0.0;
    for (int64_t p = device::thread(); p < parts; p += device::threads()) total += own[p];
    total = block_reduce(total, shared.warps, Add());
    if (device::thread() == 0) loss[device::block()] = narrow<T>(total * scale);
  }
};

}  // namespace cuda
}  // namespace tailops
