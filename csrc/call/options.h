#pragma once

// What the user chooses, by name at the interface and by index inside.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formulas/gradient_mode.h"
#include "formulas/parameters.h"
#include "formulas/rank.h"
#include "formulas/smoothing_unit.h"

namespace tailops {

// Which selection algorithm runs: by size, or forced by a test. kSampled and kMiss sample however
// small the group is, kMiss with a first bracket that does not hold the rank.
enum class SelectionPath { kAuto, kSampled, kMiss, kRadix };

constexpr const char* kSelectionPathNames[] = {"auto", "sampled", "miss", "radix"};

// Of the methods, behind the rank rules: a part of the largest error.
constexpr int kMaxFraction = sizeof(kRankRules) / sizeof(kRankRules[0]);

struct Options {
  int error_kind = 0;  // index into ErrorKinds of formulas/tail_loss.h
  int method = 0;      // index into method_names()
  GradientMode gradient = GradientMode::kExact;
  SmoothingUnit smoothing_unit = SmoothingUnit::kError;
  double percentile = 0.99;  // or the fraction, for "max_fraction"
  double smoothing_factor = 100.0;
  double error_scale = 10.0;
  double beta = 0.0;
  double epsilon = 1e-3;
  std::optional<double> ignore_value;  // of targets
  bool ignore_nan = false;
  SelectionPath selection = SelectionPath::kAuto;
};

std::vector<std::string> error_kind_names();
// The rank rules, and "max_fraction".
std::vector<std::string> method_names();
std::vector<std::string> gradient_mode_names();
std::vector<std::string> smoothing_unit_names();
std::vector<std::string> selection_path_names();

// Index of `value` among `names`; std::invalid_argument names the argument, the value and the
// choices.
int index_of(const char* argument, const std::string& value, const std::vector<std::string>& names);

// With so many digits that it is this number and no other.
std::string in_decimal(double number);

// Sets the members that are chosen by name.
void set_names(Options& options, const std::string& error, const std::string& method,
               const std::string& gradient, const std::string& smoothing_unit);

// std::invalid_argument if an option is out of range.
void validate(const Options& options);

// The options that may be given with every call instead: what a schedule moves. In this order they
// are a binding's array.
struct StepNumbers {
  double percentile;
  double smoothing_factor;
  double error_scale;
};
constexpr int64_t kStepNumbers = sizeof(StepNumbers) / sizeof(double);

// The options with these numbers; std::invalid_argument if one is out of range.
Options with_numbers(Options options, const StepNumbers& numbers);

template <typename C>
LossParameters<C> loss_parameters(const Options& options) {
  return {static_cast<C>(options.smoothing_factor),
          static_cast<C>(options.error_scale),
          static_cast<C>(options.beta),
          static_cast<C>(options.epsilon),
          options.gradient,
          options.smoothing_unit};
}

// The largest error is what "lower" makes of the percentile 1. Inline, since the library of the
// CUDA launches is linked without the kernels of the CPU.
inline Threshold threshold_of(const Options& options) {
  constexpr int kLower = 1;
  static_assert(kRankRules[kLower].rank == rank_rules::lower);
  if (options.method == kMaxFraction) return {kLower, 1.0, options.percentile};
  return {options.method, options.percentile, 1.0};
}

}  // namespace tailops
