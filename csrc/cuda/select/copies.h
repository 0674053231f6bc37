#pragma once

// How often an element counts: bases of tasks, which say it to CountDigits.
//
//   Count: what a block's counts are
//   Copies: of a group's elements; add(counts, active, place, k) counts element k
//   Control: what launches tell each other for it; it begins as zeros

#include "call/groups.h"
#include "call/weights.h"
#include "cuda/device/block.h"
#include "formulas/whole_weights.h"

namespace tailops {
namespace cuda {

struct Once {
  using Count = unsigned;
  static constexpr bool kWeighs = false;

  struct Control {};

  struct Copies {
    TAILOPS_DEVICE void add(unsigned* counts, bool active, unsigned place, int64_t) const {
      count_in_bins(counts, active, place);
    }
  };

  TAILOPS_DEVICE Copies copies(const Groups&, int64_t, const Control&) const { return {}; }
};

// As often as its weight says. The task has is_nan(key): a NaN counts for nothing, since it is
// ignored, or all that its group gives.
struct ByWeight {
  using Count = uint64_t;
  static constexpr bool kWeighs = true;

  struct Control {
    // As bits, which are in the numbers' order: those of infinity and above are of no weight.
    uint64_t largest;
    uint64_t total;  // how often all elements count; known behind the first pass

    // Otherwise all weights are 0, or one is negative or not finite.
    TAILOPS_DEVICE bool has_weights() const {
      constexpr uint64_t kInfinity = uint64_t{0x7ff} << 52;
      return 0 < largest && largest < kInfinity;
    }
  };

  class Copies {
   public:
    TAILOPS_DEVICE Copies(const Weights& weights, const Groups& groups, int64_t g,
                          const Control& control)
        : weights_(weights),
          first_(groups.first_of(g)),
          stride_(groups.inner),
          has_weights_(control.has_weights()),
          whole_(number(control.largest), groups.length) {}

    // Without weights, once: so that every rank is some element's.
    TAILOPS_DEVICE uint64_t of(int64_t k) const {
      if (!has_weights_) return 1;
      return static_cast<uint64_t>(whole_.of(weights_[first_ + k * stride_]));
    }

    TAILOPS_DEVICE void add(uint64_t* counts, bool active, unsigned place, int64_t k) const {
      if (!active) return;
      const uint64_t copies = of(k);
      if (copies != 0) device::atomic_add(&counts[place], copies);
    }

    // What so many are.
    TAILOPS_DEVICE double weight(uint64_t copies) const {
      return whole_.weight(static_cast<int64_t>(copies));
    }

   private:
    static TAILOPS_DEVICE double number(uint64_t bits) {
      double value;
      memcpy(&value, &bits, sizeof(value));
      return value;
    }

    Weights weights_;
    int64_t first_;
    int64_t stride_;
    bool has_weights_;
    WholeWeights whole_;
  };

  Weights weights;  // they lie as the elements do

  TAILOPS_DEVICE Copies copies(const Groups& groups, int64_t g, const Control& control) const {
    return {weights, groups, g, control};
  }
};

// A bit for each that is no NaN.
template <typename Task, typename Key, int kSize>
TAILOPS_DEVICE unsigned numbers_among(const Key (&keys)[kSize]) {
  unsigned numbers = 0;
  TAILOPS_UNROLL
  for (int j = 0; j < kSize; ++j) numbers |= Task::is_nan(keys[j]) ? 0u : 1u << j;
  return numbers;
}

}  // namespace cuda
}  // namespace tailops
