#pragma once

// Weights as whole numbers: an element of weight w counts as often as round(w·2^s) elements do that
// have none. So all that is said of ranks, ties and masses holds, and the sums are exact: the same
// in whatever order they are added up.

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/host_device.h"
#include "formulas/quantile_rank.h"

namespace tailops {

// 2^s in two factors: of the smallest weights there is none. What is then below 2^52 is rounded by
// adding that: half to even.
struct WeightScale {
  static constexpr double kUnit = 4503599627370496.0;
  static constexpr int64_t kFraction = (int64_t{1} << 52) - 1;

  double first;
  double second;
};

// Those of a group, by its largest weight: below 2^51 each, and below 2^62 together. What is less
// than the largest by a factor that does not fit counts for nothing.
class WholeWeights {
 public:
  TAILOPS_HOST_DEVICE WholeWeights(double largest, int64_t count) {
    constexpr int kMostBits = 51, kMostBitsOfSum = 62;
    int of_count = 0;
    while (of_count < kMostBitsOfSum && (int64_t{1} << of_count) < count) ++of_count;
    int exponent = 0;
    if (largest > 0.0) std::frexp(largest, &exponent);
    const int bits = kMostBits < kMostBitsOfSum - of_count ? kMostBits : kMostBitsOfSum - of_count;
    shift_ = bits - exponent;
    scale_ = {std::ldexp(1.0, shift_ / 2), std::ldexp(1.0, shift_ - shift_ / 2)};
  }

  TAILOPS_HOST_DEVICE int64_t of(double weight) const {
    const double shifted = weight * scale_.first * scale_.second + WeightScale::kUnit;
    int64_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    return bits & WeightScale::kFraction;
  }

  TAILOPS_HOST_DEVICE const WeightScale& scale() const { return scale_; }

  // The weight that so much is.
  TAILOPS_HOST_DEVICE double weight(int64_t whole) const {
    return std::ldexp(static_cast<double>(whole), -shift_);
  }

 private:
  int shift_;
  WeightScale scale_;
};

TAILOPS_HOST_DEVICE bool is_weight(double weight) { return weight >= 0.0 && std::isfinite(weight); }

namespace rank_rules {

// NumPy's: the first element up to which the weights, divided by all of them, are at least p. A
// product with p would be another element where it is rounded.
TAILOPS_HOST_DEVICE Rank weighted_inverted_cdf(int64_t total, double p) {
  const double all = static_cast<double>(total);
  const auto reaches = [&](int64_t sum) { return static_cast<double>(sum) / all >= p; };
  // The product is rounded by less than this.
  const int64_t about = clamp_rank(all * p, total), reach = 1 + (total >> 50);
  int64_t too_little = about > reach ? about - reach : 0;
  int64_t enough = about < total - reach ? about + reach : total;
  while (enough - too_little > 1) {
    const int64_t middle = too_little + (enough - too_little) / 2;
    (reaches(middle) ? enough : too_little) = middle;
  }
  return {enough - 1, 0.0, 1.0};
}

}  // namespace rank_rules

// The rank rules that do not ask how many elements there are: with weights of 1 they are the same.
constexpr int kFloor = 0, kInvertedCdf = 6;
static_assert(kRankRules[kFloor].rank == rank_rules::floor);
static_assert(kRankRules[kInvertedCdf].rank == rank_rules::inverted_cdf);

TAILOPS_HOST_DEVICE bool may_have_weights(int method) {
  return method == kFloor || method == kInvertedCdf;
}

// Among elements of this weight together, by one of these rules.
TAILOPS_HOST_DEVICE Rank weighted_rank(int method, double q, int64_t total) {
  return method == kFloor ? rank_rules::floor(total, q)
                          : rank_rules::weighted_inverted_cdf(total, q);
}

}  // namespace tailops
