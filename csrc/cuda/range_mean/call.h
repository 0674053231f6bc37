#pragma once

// What the kernels of a range mean know of a call, which order statistics it needs, and how it
// writes what it has found.

#include <limits>

#include "call/groups.h"
#include "core/ordered_bits.h"
#include "cuda/device/strided.h"
#include "cuda/device/values.h"
#include "cuda/range_mean/range_mean.h"
#include "formulas/range_mean.h"

namespace tailops {
namespace cuda {

// The bounds as kernels take them: in device memory, or the host's by value.
struct BoundsArgument {
  const RangeBounds* on_device;  // or null
  RangeBounds of_host;

  TAILOPS_DEVICE RangeBounds get() const { return on_device != nullptr ? *on_device : of_host; }
};

inline BoundsArgument argument_of(const Bounds& bounds) {
  return {bounds.on_device, bounds.on_host == nullptr ? RangeBounds{} : *bounds.on_host};
}

// What is added up, in float64, and how many elements that are.
struct RangeSum {
  double sum;
  uint64_t count;

  TAILOPS_DEVICE void operator+=(const RangeSum& other) {
    sum += other.sum;
    count += other.count;
  }
};

// Keys [first, last]: what is to be added up.
template <typename Key>
struct KeyRange {
  Key first;
  Key last;

  TAILOPS_DEVICE bool holds(Key key) const { return first <= key && key <= last; }
};

// An order statistic, as far as it is known: the one of an end.
template <typename Key>
struct FoundEnd {
  Key key;
  int64_t smaller;
  int64_t ties;
};

// The ends of a range among n elements.
struct RangeEnds : RangePlaces {
  RangeKind kind;
  RangeBounds bounds;

  TAILOPS_DEVICE RangeEnds(RangeKind of_kind, const RangeBounds& of, int64_t n)
      : RangePlaces(range_places(of_kind, of, n)), kind(of_kind), bounds(of) {}

  TAILOPS_DEVICE bool is_at_least() const { return kind == RangeKind::kAtLeast; }

  // The key of the smallest number that is at least θ, a number of the compute type.
  template <typename T>
  TAILOPS_DEVICE typename OrderedBits<T>::Key key_of_threshold() const {
    const ComputeType<T> threshold = static_cast<ComputeType<T>>(bounds.first);
    const T nearest = narrow<T>(static_cast<double>(threshold));
    const auto key = OrderedBits<T>::encode(nearest);
    return widen(nearest) < threshold ? key + 1 : key;
  }

  // What is strictly between the ends, or, for kAtLeast, all that is kept.
  template <typename T, typename Key>
  TAILOPS_DEVICE KeyRange<Key> between(Key of_lower, Key of_upper) const {
    KeyRange<Key> keys{0, ~Key(0)};
    if (is_at_least()) {
      const Key threshold = key_of_threshold<T>();
      keys.first = threshold < of_lower ? threshold : of_lower;
    } else {
      if (!open_below) keys.first = of_lower + 1;
      if (!open_above) keys.last = of_upper - 1;
    }
    return keys;
  }
};

template <typename T>
struct RangeCall : Groups {
  using Elements = MaskedValues<T>;
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;

  const T* values;
  const bool* mask;  // or null
  RangeKind kind;
  BoundsArgument bounds;
  T* mean;            // [groups]
  RangeState* state;  // [groups]

  TAILOPS_DEVICE Elements at(int64_t first, int64_t stride, int64_t count) const {
    return {{values + first, stride, count}, mask == nullptr ? nullptr : mask + first};
  }
  TAILOPS_DEVICE Elements group(int64_t g) const { return at(first_of(g), inner, length); }
  TAILOPS_DEVICE Elements all_from(int64_t first) const { return at(first, 1, size() - first); }

  static TAILOPS_DEVICE bool is_nan(Key key) { return key == Bits::kNaN; }

  static TAILOPS_DEVICE double value_of(Key key) {
    return static_cast<double>(widen(Bits::decode(key)));
  }

  TAILOPS_DEVICE bool has_ends(int64_t n) const { return has_range(kind, bounds.get(), n); }
  TAILOPS_DEVICE RangeEnds ends(int64_t n) const { return {kind, bounds.get(), n}; }

  // Of a group of n elements without a range, or with a NaN: by one thread.
  TAILOPS_DEVICE void write_without(int64_t g, int64_t n) const {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    mean[g] = narrow<T>(n == 0 ? 0.0 : nan);
    state[g] = n == 0 ? empty_range_state() : nan_range_state();
  }

  // By one thread; `between` is what is added up of the keys that are strictly between.
  TAILOPS_DEVICE void write(int64_t g, const RangeEnds& of, const FoundEnd<Key>& of_lower,
                            const FoundEnd<Key>& of_upper, const RangeSum& between) const {
    RangeEnd lower = of.open_below ? open_below() : end_of(of_lower);
    const RangeEnd upper = of.open_above ? open_above() : end_of(of_upper);
    RangeState own;
    if (of.is_at_least()) {
      lower = {value_of(of.template between<T>(of_lower.key, of_upper.key).first), 0, 0};
      own = range_state_at_least(lower.value, static_cast<int64_t>(between.count));
    } else {
      own = range_state(of.range, lower, upper);
    }
    mean[g] = narrow<T>(range_mean(own, between.sum, lower, upper));
    state[g] = own;
  }

 private:
  static TAILOPS_DEVICE RangeEnd end_of(const FoundEnd<Key>& end) {
    return {value_of(end.key), end.smaller, end.ties};
  }
};

}  // namespace cuda
}  // namespace tailops
