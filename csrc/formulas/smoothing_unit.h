#pragma once

namespace tailops {

enum class SmoothingUnit {
  kError,      // κ is in 1/error
  kThreshold,  // in 1/t, each group's own
};

constexpr const char* kSmoothingUnitNames[] = {"error", "threshold"};

}  // namespace tailops
