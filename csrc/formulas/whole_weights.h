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

// NumPy's: the first element up to which the weights, divided by all of them, are at least p. The
// quotient is rounded to float64, so that it is p from halfway to the number before: where weights
// are equal, 12 of 30 are 0.4. In whole numbers, of which the largest have no float64.
TAILOPS_HOST_DEVICE Rank weighted_inverted_cdf(int64_t total, double p) {
  constexpr int kDigits = 53;
  constexpr uint64_t kLeading = uint64_t{1} << (kDigits - 1);
  if (!(p > 0.0)) return {0, 0.0, 1.0};
  int exponent = 0;
  const auto whole = static_cast<uint64_t>(std::ldexp(std::frexp(p, &exponent), kDigits));
  // Below a power of two numbers are twice as dense.
  const int finer = whole == kLeading ? 2 : 1, shift = kDigits - exponent + finer;
  const auto all = static_cast<uint64_t>(total);
  const unsigned __int128 product = static_cast<unsigned __int128>((whole << finer) - 1) * all;
  uint64_t sum = 0;
  bool is_exact = false;
  if (shift < 128) {
    sum = static_cast<uint64_t>(product >> shift);
    is_exact = product == static_cast<unsigned __int128>(sum) << shift;
  }
  // Halfway is rounded to what is even.
  const bool is_enough = is_exact && whole % 2 == 0 && sum > 0;
  const auto rank = static_cast<int64_t>(is_enough ? sum - 1 : sum);
  return {rank < total ? rank : total - 1, 0.0, 1.0};
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
