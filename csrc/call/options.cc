#include "call/options.h"

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "formulas/tail_loss.h"

namespace tailops {
namespace {

template <size_t... I>
std::vector<std::string> names_of(std::index_sequence<I...>) {
  return {std::tuple_element_t<I, ErrorKinds>::kName...};
}

[[noreturn]] void reject(const std::string& argument, double value, const std::string& allowed) {
  std::ostringstream message;
  message.precision(std::numeric_limits<double>::max_digits10 - 2);
  message << argument << "=" << value << ": " << allowed;
  throw std::invalid_argument(message.str());
}

// Options are used in the precision of the data, so they must exist in float32.
constexpr double kLargest = std::numeric_limits<float>::max();
constexpr double kSmallest = std::numeric_limits<float>::min();

void require_fraction(const std::string& argument, double value) {
  if (value > 0.0 && value <= 1.0) return;
  std::ostringstream allowed;
  allowed << "must be a fraction in (0, 1]";
  if (value > 1.0 && value <= 100.0) allowed << "; did you mean " << value / 100.0 << "?";
  reject(argument, value, allowed.str());
}

void require_non_negative(const std::string& argument, double value) {
  if (!(value >= 0.0 && value <= kLargest)) {
    reject(argument, value, "must be finite, not negative, and within float32");
  }
}

void require_no_target(const Options& options) {
  const std::string error = "error='" + error_kind_names()[static_cast<size_t>(options.error_kind)];
  if (options.beta != 0.0) {
    reject("beta", options.beta, "must be 0 with " + error + "', which has no residual");
  }
  if (options.ignore_value) {
    reject("ignore_value", *options.ignore_value,
           "must not be given with " + error + "', which reads no targets; use a mask");
  }
}

}  // namespace

std::string in_decimal(double number) {
  std::ostringstream text;
  text.precision(std::numeric_limits<double>::max_digits10);
  text << number;
  return text.str();
}

std::vector<std::string> error_kind_names() { return names_of(KindNumbers()); }

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const RankRule& rule : kRankRules) names.emplace_back(rule.name);
  names.emplace_back("max_fraction");
  return names;
}

std::vector<std::string> gradient_mode_names() {
  return {std::begin(kGradientModeNames), std::end(kGradientModeNames)};
}

std::vector<std::string> smoothing_unit_names() {
  return {std::begin(kSmoothingUnitNames), std::end(kSmoothingUnitNames)};
}

std::vector<std::string> selection_path_names() {
  return {std::begin(kSelectionPathNames), std::end(kSelectionPathNames)};
}

int index_of(const char* argument, const std::string& value,
             const std::vector<std::string>& names) {
  std::string allowed;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == value) return static_cast<int>(i);
    allowed += (i == 0 ? "'" : ", '") + names[i] + "'";
  }
  throw std::invalid_argument(std::string(argument) + "='" + value + "': must be one of " +
                              allowed);
}

void set_names(Options& options, const std::string& error, const std::string& method,
               const std::string& gradient, const std::string& smoothing_unit) {
  options.error_kind = index_of("error", error, error_kind_names());
  options.method = index_of("method", method, method_names());
  options.gradient =
      static_cast<GradientMode>(index_of("gradient", gradient, gradient_mode_names()));
  options.smoothing_unit = static_cast<SmoothingUnit>(
      index_of("smoothing_unit", smoothing_unit, smoothing_unit_names()));
}

void validate(const Options& options) {
  const bool of_max = options.method == kMaxFraction;
  require_fraction(of_max ? "fraction" : "percentile", options.percentile);
  require_non_negative("smoothing_factor", options.smoothing_factor);
  require_non_negative("error_scale", options.error_scale);
  if (!(options.beta >= 0.0 && options.beta <= 1.0)) {
    reject("beta", options.beta, "must be in [0, 1]");
  }
  if (options.ignore_value && std::isnan(*options.ignore_value)) {
    reject("ignore_value", *options.ignore_value, "nothing is equal to NaN; use ignore_nan");
  }
  if (!reads_target(options.error_kind)) require_no_target(options);
  if (!(options.epsilon >= kSmallest && options.epsilon <= kLargest)) {
    reject("epsilon", options.epsilon, "must be positive, finite, and a normal float32");
  }
}

Options with_numbers(Options options, const StepNumbers& numbers) {
  options.percentile = numbers.percentile;
  options.smoothing_factor = numbers.smoothing_factor;
  options.error_scale = numbers.error_scale;
  validate(options);
  return options;
}

}  // namespace tailops
