#pragma once

// How the order statistics of large groups are found: digit by digit, each a pass over the group
// for several q at once. Arithmetic for the host; no CUDA.

#include <algorithm>
#include <cstdint>

#include "cuda/device/shares.h"

namespace tailops {
namespace cuda {

// A target is one element that a q needs: there are one or two for each.
constexpr int kMostTargets = 32;  // a warp has a lane for each
// Targets whose leading digits are the same share the counts of their next one. So many counts fit
// a block's shared memory: digits of 11 bits for up to four targets that share none.
constexpr int kDigitCounts = 1 << 13;
constexpr int kWidestDigit = 11;

struct DigitsPlan {
  DigitsPlan(int key_bits, int64_t q_count, int targets_of_q)
      : q_at_once(static_cast<int>(std::min<int64_t>(q_count, kMostTargets / targets_of_q))),
        slots(q_at_once * targets_of_q) {
    int widest = kWidestDigit;
    while (slots << widest > kDigitCounts) --widest;
    passes = static_cast<int>(ceiling(key_bits, widest));
    digit_bits = static_cast<int>(ceiling(key_bits, passes));
  }

  int counts() const { return slots << digit_bits; }

  int q_at_once;
  int slots;  // that may be needed
  int passes;
  int digit_bits;
};

// How many groups are in flight: as many as their counts may take of the workspace.
inline int64_t groups_at_once(int64_t groups, int64_t bytes_each, const Limits& limits) {
  return std::clamp<int64_t>(limits.spare_bytes / bytes_each, 1,
                             std::min(groups, limits.most_groups_at_once));
}

}  // namespace cuda
}  // namespace tailops
