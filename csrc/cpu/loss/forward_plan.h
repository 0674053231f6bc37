#pragma once

// How a forward pass goes about a problem: decided before it reads an element, so that a test can
// see it.

#include "call/geometry.h"
#include "call/options.h"

namespace tailops {

// How the groups' thresholds are found.
enum class Selecting {
  kShortColumns,  // groups of few elements, side by side where they lie
  kShortTiles,    // the same, copied so that they lie side by side
  kColumns,       // columns together; one by one where that would keep most of the elements
  kGroups,        // one by one
};

constexpr const char* kSelectingNames[] = {"short columns", "short tiles", "columns", "groups"};

// What the outputs are made of. The first two need the groups' sums and nothing else: selection
// adds them up on the way. The others are a second pass, over elements whose thresholds are known.
enum class Outputs {
  kAllGroups,  // one, the sum of all
  kEachGroup,
  kElements,  // each element's loss
  kRows,      // means over rows, some of them a block
  kLongRows,  // means over rows of several blocks
};

constexpr const char* kOutputsNames[] = {"all groups", "each group", "elements", "rows",
                                         "long rows"};

struct ForwardPlan {
  Selecting selecting;
  Outputs outputs;
  bool sums_samples;  // an output is a sum of means, which are found first, one by one

  bool sums_groups() const {
    return outputs == Outputs::kAllGroups || outputs == Outputs::kEachGroup;
  }
};

// `ignores`: whether elements may be ignored. `with_squares`: whether β, as it is computed with,
// is not zero.
ForwardPlan make_forward_plan(const Geometry& geometry, const Options& options, bool ignores,
                              bool with_squares);

}  // namespace tailops
