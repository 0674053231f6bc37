#pragma once

// Sums where there is more than one output: a row is an element, or what lies along the last axis.

#include "core/float_types.h"
#include "cuda/device/block.h"
#include "cuda/loss/errors.h"
#include "cuda/loss/rows_plan.h"

namespace tailops {
namespace cuda {

struct RowSum {
  double total;
  int64_t valid;  // how many of the elements are

  TAILOPS_DEVICE void operator+=(const RowSum& other) {
    total += other.total;
    valid += other.valid;
  }
};

// Over the elements [begin, end), by one thread or by a warp's lanes; add(flat, sum) adds one.
template <typename AddElement>
TAILOPS_DEVICE RowSum row_sum(int64_t begin, int64_t end, int first, int step,
                              const AddElement& add) {
  RowSum sum{0.0, 0};
  for (int64_t flat = begin + first; flat < end; flat += step) add(flat, sum);
  return sum;
}

// Of a warp's lanes; lane 0 gets it.
TAILOPS_DEVICE RowSum of_lanes(RowSum sum) {
  TAILOPS_UNROLL
  for (int distance = device::kWarp / 2; distance > 0; distance /= 2) {
    sum += device::shuffle(sum, (device::lane() + distance) % device::kWarp);
  }
  return sum;
}

// write(row, sum) for rows [begin, end), as one of `workers` threads that all call this: warps, or
// fewer than one.
template <typename AddElement, typename Write>
TAILOPS_DEVICE void add_rows(int64_t length, int64_t begin, int64_t end, int64_t worker,
                             int64_t workers, const AddElement& add, const Write& write) {
  if (length < kWarpRow || workers < device::kWarp) {
    for (int64_t row = begin + worker; row < end; row += workers) {
      write(row, row_sum(row * length, (row + 1) * length, 0, 1, add));
    }
    return;
  }
  const int64_t step = workers / device::kWarp;
  for (int64_t row = begin + worker / device::kWarp; row < end; row += step) {
    const RowSum sum =
        of_lanes(row_sum(row * length, (row + 1) * length, device::lane(), device::kWarp, add));
    if (device::lane() == 0) write(row, sum);
  }
}

// The rows of a tensor, and the sums of the parts of long ones.
struct Rows {
  int64_t count;
  int64_t length;
  int64_t part;   // elements of one
  int64_t parts;  // of a row
  RowSum* sums;   // [count][parts], where there is more than one
};

// What is made of the rows' sums: Of::adder() adds an element, Of::write takes a row's sum. All
// rows of the tensor, or parts of long ones, to be added up by AddParts.
template <typename Of>
struct AddRows {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 3;
  struct Shared {};

  Of of;
  Rows rows;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const auto add = of.adder();
    const int64_t worker = device::block() * device::threads() + device::thread();
    const int64_t workers = device::blocks() * device::threads();
    if (rows.parts == 1) {
      return add_rows(rows.length, 0, rows.count, worker, workers, add,
                      [&](int64_t row, const RowSum& sum) { of.write(row, sum); });
    }
    const int64_t step = workers / device::kWarp;
    for (int64_t p = worker / device::kWarp; p < rows.count * rows.parts; p += step) {
      const int64_t begin = p % rows.parts * rows.part, row = p / rows.parts * rows.length;
      const int64_t end = begin + rows.part < rows.length ? begin + rows.part : rows.length;
      const RowSum sum =
          of_lanes(row_sum(row + begin, row + end, device::lane(), device::kWarp, add));
      if (device::lane() == 0) rows.sums[p] = sum;
    }
  }
};

// The parts of a row, in a fixed order by a block per row.
template <typename Of>
struct AddParts {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 2;
  struct Shared {
    RowSum warps[kMostWarps];
  };

  Of of;
  Rows rows;

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    const RowSum* const own = rows.sums + device::block() * rows.parts;
    RowSum sum{0.0, 0};
    for (int64_t p = device::thread(); p < rows.parts; p += device::threads()) sum += own[p];
    sum = block_reduce(sum, shared.warps, Add());
    if (device::thread() == 0) of.write(device::block(), sum);
  }
};

// L of a valid element.
template <typename T, typename C>
TAILOPS_DEVICE void add_loss_of(const Call<T>& call, C d, const Tail<C>& tail, RowSum& sum) {
  const C e = error_of(call.error_kind, call.epsilon, d);
  sum.total += static_cast<double>(
      formulas_of(call.parameters).mixed(d, weighted_error(e, tail, call.parameters)));
  ++sum.valid;
}

// L of the element at this place of the tensor.
template <typename T, typename C>
TAILOPS_DEVICE void add_loss(const Call<T>& call, int64_t flat, const Tail<C>& tail, RowSum& sum) {
  C d;
  if (call.all().load(flat, d)) add_loss_of(call, d, tail, sum);
}

template <typename T>
TAILOPS_DEVICE void write_loss(const Call<T>& call, int64_t row, const RowSum& sum, T* loss) {
  loss[row] = narrow<T>(sum.total * call.mean_factor_of(static_cast<double>(sum.valid)));
}

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
    if (is_one) one = tail_of(state[0], call.parameters);
  }

  TAILOPS_DEVICE Tail<C> operator()(int64_t flat) const {
    return is_one ? one : tail_of(state[call.group_of(flat)], call.parameters);
  }
};

template <typename T>
struct RowLosses {
  Call<T> call;
  const GroupState* state;
  T* loss;

  TAILOPS_DEVICE auto adder() const {
    return [this, tail_at = TailOfElement<T>(call, state)](int64_t flat, RowSum& sum) {
      add_loss(call, flat, tail_at(flat), sum);
    };
  }
  TAILOPS_DEVICE void write(int64_t row, const RowSum& sum) const {
    write_loss(call, row, sum, loss);
  }
};

// What each row's sum is multiplied with, for a backward pass that may overwrite the inputs.
template <typename T>
struct RowFactors {
  using C = ComputeType<T>;

  Call<T> call;
  C* factors;

  TAILOPS_DEVICE auto adder() const {
    return [all = call.all()](int64_t flat, RowSum& sum) {
      C d;
      if (all.load(flat, d)) ++sum.valid;
    };
  }
  TAILOPS_DEVICE void write(int64_t row, const RowSum& sum) const {
    factors[row] = static_cast<C>(call.mean_factor_of(static_cast<double>(sum.valid)));
  }
};

// Sums of means that had to be found one by one.
template <typename T>
struct SampleSums {
  const T* means;
  T* loss;

  TAILOPS_DEVICE auto adder() const {
    return [this](int64_t sample, RowSum& sum) {
      sum.total += static_cast<double>(widen(means[sample]));
    };
  }
  TAILOPS_DEVICE void write(int64_t row, const RowSum& sum) const {
    loss[row] = narrow<T>(sum.total);
  }
};

}  // namespace cuda
}  // namespace tailops
