#pragma once

// A sample of a group's errors, and what it tells: a random run of neighbours in each of some equal
// strata, the same at every call, without those that are ignored.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "call/sample_plan.h"
#include "core/growing_buffer.h"
#include "cpu/select/bracket.h"
#include "cpu/select/group_errors.h"
#include "formulas/band.h"

namespace tailops {

template <typename T>
class GroupSample {
 public:
  using C = ComputeType<T>;

  GroupSample(const GroupErrors<T>& of, const SelectionPlan& plan)
      : of_(of),
        plan_(plan),
        runs_(plan.sample_runs),
        run_(std::min(kRunLength, of.length())),
        errors_(scratch_of<C, Scratch::kSample>(runs_ * run_)),
        size_(draw()) {}

  // The sample's order statistics that many standard deviations to both sides of the rank's own.
  Bracket<C> bracket(double deviations) const {
    const SelectionPlan plan =
        size_ == drawn() ? plan_
                         : plan_.among(std::max<int64_t>(1, of_.length() * size_ / drawn()));
    const auto low_at = [&](double reach) { return at(plan.lower_place(size_, reach)); };
    const C low = low_at(deviations);
    const double unlike = deviations * std::sqrt(clustering(low));
    return with_band(unlike > deviations ? low_at(unlike) : low,
                     at(plan.upper_place(size_, unlike)), plan_.rank.factor, of_.parameters);
  }

  // One that no element of the sample is in, for tests.
  Bracket<C> bracket_beyond() const {
    const C largest = size_ == 0 ? C(0) : *std::max_element(errors_, errors_ + size_);
    const C above = largest + std::fabs(largest) + C(1);
    return with_band(above, above, plan_.rank.factor, of_.parameters);
  }

  // Whether what lies above the lower end of the band is a small part of what is read.
  bool few_are_above(const Bracket<C>& bracket) const {
    return are_few(count(errors_, size_, [&](C e) { return e >= bracket.band_low; }), drawn());
  }

  // Whether what lies in the band, to be kept and weighted one by one, is a small part of it.
  bool few_are_near(const Bracket<C>& bracket) const {
    const int near = count(errors_, size_, [&](C e) {
      return (e >= bracket.band_low) & (e <= bracket.band_high) & (e != bracket.low) &
             (e != bracket.high);
    });
    return are_few(near, drawn());
  }

 private:
  int64_t drawn() const { return runs_ * run_; }

  int64_t draw() {
    int64_t size = 0;
    for (int64_t r = 0; r < runs_; ++r) {
      const int64_t first = SelectionPlan::stratified(r, runs_, of_.length() - run_ + 1);
      const int64_t valid = of_.write(first, first + run_, errors_ + size);
      valid_of_run_[static_cast<size_t>(r)] = static_cast<int8_t>(valid);
      size += valid;
    }
    return size;
  }

  C at(double place) const {
    C* const spare = scratch_of<C, Scratch::kFew>(spare_length(size_));
    return element_of_sample(of_.loops, static_cast<const C*>(errors_), size_, place, spare);
  }

  // How much larger the variance of ranks in the sample is than that of independent elements, since
  // neighbours may be alike. Estimated from how unevenly what is above a value falls on the runs.
  double clustering(C value) const {
    int sum = 0, squares = 0;
    const C* of_run = errors_;
    for (int64_t r = 0; r < runs_; ++r) {
      const int64_t valid = valid_of_run_[static_cast<size_t>(r)];
      const int above = count(of_run, valid, [&](C e) { return e > value; });
      of_run += valid;
      sum += above;
      squares += above * above;
    }
    const double runs = static_cast<double>(runs_), run = static_cast<double>(run_);
    const double mean = sum / runs;
    const double independent = mean * (1.0 - mean / run);
    if (independent <= 0.0) return 1.0;
    const double spread = (squares / runs - mean * mean) / independent;
    return spread < kClustered ? 1.0 : std::min(spread, run);
  }

  template <typename Condition>
  static int count(const C* errors, int64_t n, const Condition& condition) {
    int found = 0;
    for (int64_t i = 0; i < n; ++i) found += condition(errors[i]);
    return found;
  }

  const GroupErrors<T>& of_;
  const SelectionPlan& plan_;
  const int64_t runs_;
  const int64_t run_;
  C* const errors_;
  std::array<int8_t, kMostRuns> valid_of_run_;
  const int64_t size_;
};

}  // namespace tailops
