#pragma once

namespace tailops {

enum class GradientMode {
  kExact,           // everything differentiated, the threshold included
  kFixedThreshold,  // t held constant
  kFixedWeight,     // the whole weight 1 + s·h held constant
};

constexpr const char* kGradientModeNames[] = {"exact", "fixed_threshold", "fixed_weight"};

}  // namespace tailops
