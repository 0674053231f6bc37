#pragma once

// The formulas of formulas/tail_loss.h where the error kind is a number that all threads share, and
// the compositions of them that several kernels need.

#include <limits>
#include <tuple>
#include <type_traits>

#include "core/ordered_bits.h"
#include "cuda/loss/call.h"
#include "formulas/band.h"
#include "formulas/state.h"
#include "formulas/tail_loss.h"
#include "formulas/ties.h"

namespace tailops {
namespace cuda {

// body(Error{}) for the error kind of this number.
template <size_t kIndex = 0, typename Body>
TAILOPS_DEVICE void with_error(int kind, const Body& body) {
  if constexpr (kIndex + 1 < std::tuple_size_v<ErrorKinds>) {
    if (kind != static_cast<int>(kIndex)) return with_error<kIndex + 1>(kind, body);
  }
  body(std::tuple_element_t<kIndex, ErrorKinds>{});
}

template <int kSize, typename C>
TAILOPS_DEVICE void errors_of(int kind, C epsilon, const C (&residuals)[kSize], C (&out)[kSize]) {
  with_error(kind, [&](auto error) {
    TAILOPS_UNROLL
    for (int i = 0; i < kSize; ++i) out[i] = decltype(error)::value(residuals[i], epsilon);
  });
}

template <typename C>
TAILOPS_DEVICE C error_of(int kind, C epsilon, C residual) {
  const C residuals[1] = {residual};
  C errors[1];
  errors_of(kind, epsilon, residuals, errors);
  return errors[0];
}

// Their keys: of a kind that is never negative, by the faster way.
template <int kSize, typename C, typename Key = typename OrderedBits<C>::Key>
TAILOPS_DEVICE void keys_of(int kind, C epsilon, const C (&residuals)[kSize], Key (&out)[kSize]) {
  using Bits = OrderedBits<C>;
  with_error(kind, [&](auto error) {
    using Error = decltype(error);
    TAILOPS_UNROLL
    for (int i = 0; i < kSize; ++i) {
      const C e = Error::value(residuals[i], epsilon);
      out[i] = Error::kMayBeNegative ? Bits::encode(e) : Bits::encode_positive(e);
    }
  });
}

template <typename C, typename Key = typename OrderedBits<C>::Key>
TAILOPS_DEVICE Key key_of(int kind, C epsilon, C residual) {
  const C residuals[1] = {residual};
  Key keys[1];
  keys_of(kind, epsilon, residuals, keys);
  return keys[0];
}

// Not far from the threshold; NaN is not.
template <typename C>
TAILOPS_DEVICE bool is_near(C error, const Tail<C>& tail) {
  return !(error < tail.band_low) && !(error > tail.band_high);
}

// ℓ
template <typename C>
TAILOPS_DEVICE C weighted_error(C error, const Tail<C>& tail, const LossParameters<C>& w) {
  const auto formulas = formulas_of(w);
  if (!is_near(error, tail)) return formulas.far_weighted(error, error > tail.band_high);
  return formulas.weighted(error, formulas.indicator(error, tail.threshold, tail.steepness));
}

// Whether an error is one of the order statistics.
template <typename C>
TAILOPS_DEVICE bool is_tied(C error, const Tail<C>& tail) {
  return error == tail.lower || error == tail.upper;
}

// Adds what an element near the threshold tells of ∂L/∂t.
template <typename C>
TAILOPS_DEVICE void add_threshold_gradient(C error, double upstream, const Tail<C>& tail,
                                           const LossParameters<C>& w, ThresholdGradient& sum) {
  if (error == tail.lower) {
    sum.lower.add(upstream, 0.0);
  } else if (error == tail.upper) {
    sum.upper.add(upstream, 0.0);
  } else {
    const auto formulas = formulas_of(w);
    const Indicator<C> h = formulas.indicator(error, tail.threshold, tail.steepness);
    sum.others += upstream * static_cast<double>(formulas.threshold_derivative(error, h));
  }
}

// ℓ and ∂L/∂t with one exponential, added to the sums of a thread.
template <typename C>
TAILOPS_DEVICE void add_element(C error, const Tail<C>& tail, const LossParameters<C>& w,
                                double& weighted, double& slopes) {
  if (!is_near(error, tail)) {
    weighted += static_cast<double>(formulas_of(w).far_weighted(error, error > tail.band_high));
    return;
  }
  const auto formulas = formulas_of(w);
  const Indicator<C> h = formulas.indicator(error, tail.threshold, tail.steepness);
  weighted += static_cast<double>(formulas.weighted(error, h));
  if (w.mode == GradientMode::kExact && !is_tied(error, tail)) {
    slopes += static_cast<double>(formulas.threshold_derivative(error, h));
  }
}

template <typename C>
TAILOPS_DEVICE double loss_of(double weighted, double squares, const LossParameters<C>& w) {
  return mixture(static_cast<double>(w.beta), squares, weighted);
}

// What arrives at the error of one that ties with the lower order statistic, or with the upper:
// with one output, two numbers, where Ties would take the registers of sixteen.
template <typename C, bool kOne>
class TiedByError {
 public:
  // `all` is everybody's upstream gradient, with one output.
  TAILOPS_DEVICE TiedByError(const Ties& ties, double all) {
    if constexpr (kOne) {
      lower_ = by_error(ties.lower, all);
      upper_ = by_error(ties.upper, all);
    } else {
      lower_ = ties.lower;
      upper_ = ties.upper;
    }
  }

  TAILOPS_DEVICE C at(bool is_lower, double upstream) const {
    if constexpr (kOne) {
      return is_lower ? lower_ : upper_;
    } else {
      return by_error(is_lower ? lower_ : upper_, upstream);
    }
  }

 private:
  static TAILOPS_DEVICE C by_error(const Tie& tie, double upstream) {
    return static_cast<C>(TailFormulas<AbsoluteError, C>::tied_by_error(tie, upstream));
  }

  std::conditional_t<kOne, C, Tie> lower_, upper_;
};

// And of any that is near; `exact` is its upstream gradient in float64.
template <typename C, bool kOne>
TAILOPS_DEVICE C near_by_error(C error, C upstream, double exact, const Tail<C>& tail,
                               const TiedByError<C, kOne>& tied, const LossParameters<C>& w) {
  const auto formulas = formulas_of(w);
  if (is_tied(error, tail)) return tied.at(error == tail.lower, exact);
  // The tail's own, which in a register of its own would spill another.
  const C steepness = w.steepness_at(tail.threshold);
  const Indicator<C> h = formulas.indicator(error, tail.threshold, steepness);
  const C weight = formulas.weight(h);
  return upstream *
         (w.mode == GradientMode::kFixedWeight ? weight : weight + formulas.spike(error, h));
}

}  // namespace cuda
}  // namespace tailops
