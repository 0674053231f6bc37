#pragma once

// What every kernel knows of a call: plain values, copied to the device with the launch.

#include <limits>

#include "call/groups.h"
#include "call/ignore_rule.h"
#include "call/means.h"
#include "cuda/device/device.h"
#include "cuda/device/strided.h"
#include "cuda/loss/tail_loss.h"
#include "formulas/errors.h"
#include "formulas/parameters.h"

namespace tailops {
namespace cuda {

// Elements that share a threshold, wherever they lie.
template <typename T>
struct Elements {
  using C = ComputeType<T>;
  using Element = T;
  using Value = C;  // the residual
  static constexpr int kInputs = 2;

  Inputs<T> inputs;  // the pointers are to the first of them
  Ignore<C> ignore;
  bool has_targets;  // otherwise they are zero: the residual is the prediction
  int64_t stride;
  int64_t length;

  TAILOPS_DEVICE const T* input(int n) const { return n == 0 ? inputs.y_true : inputs.y_pred; }

  TAILOPS_DEVICE bool reads(int n) const { return n != 0 || has_targets; }

  // Whether any may be ignored.
  TAILOPS_DEVICE bool may_ignore() const { return inputs.mask != nullptr || ignore.any(); }

  static TAILOPS_DEVICE C value_of(const T (&of)[2]) { return widen(of[1]) - widen(of[0]); }

  // Whether an element is valid, from its inputs and its place.
  TAILOPS_DEVICE bool is_valid(const T (&of)[2], int64_t at) const {
    if (inputs.mask != nullptr && !inputs.mask[at]) return false;
    return !ignore.ignores(widen(of[0]), widen(of[1]));
  }

  // `count` of them, from the one of this number on.
  TAILOPS_DEVICE Elements part(int64_t begin, int64_t count) const {
    const int64_t at = begin * stride;
    const bool* const mask = inputs.mask == nullptr ? nullptr : inputs.mask + at;
    return {{inputs.y_true + at, inputs.y_pred + at, mask}, ignore, has_targets, stride, count};
  }

  TAILOPS_DEVICE bool load(int64_t k, C& d) const {
    const int64_t at = k * stride;
    const T of[] = {has_targets ? inputs.y_true[at] : T{}, inputs.y_pred[at]};
    d = value_of(of);
    return is_valid(of, at);
  }
};

// Whether there is one output, for kernels that are compiled for either: with one, sums are all
// that is wanted, and all elements have the same upstream gradient.
struct OneOutput {
  static constexpr bool kOne = true;
};
struct ManyOutputs {
  static constexpr bool kOne = false;
};

template <typename T>
bool ignores(const Inputs<T>& inputs, const Options& options) {
  return inputs.mask != nullptr || ignore_rule<T>(options).any();
}

template <typename T>
struct Call : Groups {
  using C = ComputeType<T>;

  Call(const Inputs<T>& of, const Geometry& geometry, const Options& options)
      : Groups(geometry),
        inputs{reads_target(options.error_kind) ? of.y_true : of.y_pred, of.y_pred, of.mask},
        ignore(ignore_rule<T>(options)),
        row_length(geometry.row_length),
        mean_factor(geometry.mean_factor),
        by_valid(divides_by_valid(geometry, ignores(of, options))),
        to_scalar(geometry.reduces_to_scalar()),
        error_kind(options.error_kind),
        parameters(loss_parameters<C>(options)),
        epsilon(parameters.epsilon),
        has_targets(reads_target(error_kind)),
        least_error(may_be_negative(error_kind) ? -std::numeric_limits<C>::infinity() : C(0)),
        threshold(threshold_of(options)),
        path(options.selection) {}

  TAILOPS_DEVICE Elements<T> group(int64_t g) const {
    const int64_t first = first_of(g);
    const bool* const mask = inputs.mask == nullptr ? nullptr : inputs.mask + first;
    return {
        {inputs.y_true + first, inputs.y_pred + first, mask}, ignore, has_targets, inner, length};
  }

  // Of the whole tensor, to be loaded one by one.
  TAILOPS_DEVICE Elements<T> all() const { return {inputs, ignore, has_targets, 1, 0}; }

  TAILOPS_DEVICE int64_t row_of(int64_t flat) const {
    constexpr int64_t kIn32Bits = int64_t{1} << 32;  // such a division takes a third of the time
    if (to_scalar) return 0;
    if (row_length == 1) return flat;
    if (flat < kIn32Bits && row_length < kIn32Bits) {
      return static_cast<uint32_t>(flat) / static_cast<uint32_t>(row_length);
    }
    return flat / row_length;
  }

  // Of an output of so many valid elements.
  TAILOPS_DEVICE double mean_factor_of(double valid) const {
    return by_valid ? factor_of_mean(valid) : mean_factor;
  }

  // Of the one output as one of its groups sees it: how many elements of the others are valid, only
  // GroupTotals knows.
  TAILOPS_DEVICE double mean_factor_in_group(double valid) const {
    return by_valid && outer * inner > 1 ? 1.0 : mean_factor_of(valid);
  }

  TAILOPS_DEVICE Rank rank(int64_t n) const { return threshold.rank(n); }

  int64_t rows() const { return size() / row_length; }

  Inputs<T> inputs;
  Ignore<C> ignore;
  int64_t row_length;
  double mean_factor;
  bool by_valid;  // not by mean_factor, but by how many elements are valid
  bool to_scalar;
  int error_kind;
  // No other parameter that is needed where β is may share its eight bytes, so that ε stands here
  // once more: nvcc 13.0 loads both at once, says that it does not need β (`used_bytes_mask`), and
  // uses it. tests/virtual_gpu/test_used_bytes.py
  LossParameters<C> parameters;
  C epsilon;
  bool has_targets;
  C least_error;  // that there can be
  Threshold threshold;
  SelectionPath path;
};

}  // namespace cuda
}  // namespace tailops
