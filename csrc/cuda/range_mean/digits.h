#pragma once

// A range mean as a task of CountDigits: both ends are found together, and the last digit's pass
// adds up what shares neither's other digits. What does is known from its counts.

#include "cuda/range_mean/call.h"
#include "cuda/select/digits.h"

namespace tailops {
namespace cuda {

// Counting: of copies.h.
template <typename T, typename Counting>
struct RangeDigits : RangeCall<T>, Counting {
  using Call = RangeCall<T>;
  using Key = typename Call::Key;
  using Elements = typename Call::Elements;
  using B = Batch<Elements>;
  using Counting::kWeighs;
  using typename Counting::Copies;

  static constexpr int kTargets = 2;

  struct Control : Counting::Control {
    uint64_t nans;  // that are valid
    uint64_t ignored;
    KeyRange<Key> between;  // of the elements that are in no slot
  };

  // In the first pass it counts, in the last it adds up.
  struct Tally {
    KeyRange<Key> between;
    RangeSum sum;
    unsigned nans;
    unsigned ignored;

    explicit TAILOPS_DEVICE Tally(const Control& control)
        : between(control.between), sum{0.0, 0}, nans(0), ignored(0) {}

    TAILOPS_DEVICE void add(const B& batch, const Key (&keys)[B::kSize], const Copies& copies,
                            unsigned counted, bool is_first, bool is_last) {
      if (is_first) {
        ignored += static_cast<unsigned>(device::count_bits(batch.inside & ~batch.valid));
        TAILOPS_UNROLL
        for (int j = 0; j < B::kSize; ++j) {
          nans += (batch.valid >> j & 1u) != 0 && Call::is_nan(keys[j]) ? 1u : 0u;
        }
      }
      if (!is_last) return;
      const unsigned others = batch.valid & ~counted;
      unsigned added = 0;
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        const bool adds = (others >> j & 1u) != 0 && between.holds(keys[j]);
        if (!adds) continue;
        if constexpr (kWeighs) {
          sum += several(copies.of(batch.number(j)), widen(batch.values[j]));
        } else {
          sum.sum += static_cast<double>(widen(batch.values[j]));
          added |= 1u << j;
        }
      }
      sum.count += static_cast<unsigned>(device::count_bits(added));
    }
  };

  struct Room {
    union {
      unsigned counts[kMostWarps];
      RangeSum sums[kMostWarps];
    };
  };

  RangeSum* sums;  // [groups in flight][blocks]

  static TAILOPS_DEVICE int targets() { return kTargets; }

  TAILOPS_DEVICE void leave(const Tally& tally, bool is_first, bool is_last, Control& control,
                            Room& room) const {
    if (is_first) {
      const unsigned nans = block_reduce(tally.nans, room.counts, Add());
      const unsigned ignored = block_reduce(tally.ignored, room.counts, Add());
      if (device::thread() == 0) {
        device::atomic_add(&control.nans, nans);
        device::atomic_add(&control.ignored, ignored);
      }
    }
    if (is_last) {
      const RangeSum sum = block_reduce(tally.sum, room.sums, Add());
      if (device::thread() == 0) sums_of_group()[device::block()] = sum;
    }
  }

  TAILOPS_DEVICE int64_t selectable(const Control& control) const {
    if constexpr (kWeighs) {
      return control.largest == 0 ? 0 : static_cast<int64_t>(device::load_fresh(&control.total));
    }
    return this->length - static_cast<int64_t>(device::load_fresh(&control.ignored));
  }

  TAILOPS_DEVICE bool has_targets(int64_t n, const Control& control) const {
    if constexpr (kWeighs) {
      if (!control.has_weights()) return false;
    }
    return n != 0 && device::load_fresh(&control.nans) == 0 && this->has_ends(n);
  }

  TAILOPS_DEVICE void write_nothing(int64_t g, int64_t n, const Control& control) const {
    if (device::thread() != 0) return;
    if constexpr (kWeighs) n += static_cast<int64_t>(device::load_fresh(&control.nans));
    this->write_without(g, n);
  }

  TAILOPS_DEVICE int64_t rank(int t, int64_t n) const {
    const RangeEnds ends = this->ends(n);
    return t == 0 ? ends.lower : ends.upper;
  }

  // What has other digits than the ends is between them where it is beyond these digits and zeros,
  // and not beyond those.
  TAILOPS_DEVICE void prepare(int64_t n, const FoundTargets<Key>& found, Control& control) const {
    const RangeEnds ends = this->ends(n);
    control.between = ends.template between<T>(found.base[0], found.base[1]);
  }

  TAILOPS_DEVICE void write(int64_t g, int64_t n, const FoundTargets<Key>& found,
                            const DigitCounts<Key>& counts, const Control& control,
                            Room& room) const {
    const RangeEnds ends = this->ends(n);
    const auto end = [&](int t) {
      const uint64_t smaller = static_cast<uint64_t>(rank(t, n)) - found.rest[t];
      return FoundEnd<Key>{found.base[t], static_cast<int64_t>(smaller),
                           static_cast<int64_t>(found.ties[t])};
    };
    const FoundEnd<Key> lower = end(0), upper = end(1);
    const KeyRange<Key> between = ends.template between<T>(lower.key, upper.key);
    RangeSum own{0.0, 0};
    const RangeSum* const of_blocks = sums_of_group();
    for (int64_t b = device::thread(); b < device::blocks(); b += device::threads()) {
      own +=
          RangeSum{device::load_fresh(&of_blocks[b].sum), device::load_fresh(&of_blocks[b].count)};
    }
    counts.for_each([&](Key key, uint64_t count) {
      if (between.holds(key)) own += several(count, Call::value_of(key));
    });
    own = block_reduce(own, room.sums, Add());
    if (device::thread() != 0) return;
    Call::write(g, ends, lower, upper, own);
    if constexpr (kWeighs) {
      const double unit = this->copies(*this, g, control).weight(1);
      this->state[g] = per_unit(this->state[g], unit);
    }
  }

 private:
  // None of an infinite value is nothing.
  static TAILOPS_DEVICE RangeSum several(uint64_t count, double value) {
    return {count == 0 ? 0.0 : static_cast<double>(count) * value, count};
  }

  TAILOPS_DEVICE RangeSum* sums_of_group() const {
    return sums + device::row_of_blocks() * device::blocks();
  }
};

}  // namespace cuda
}  // namespace tailops
