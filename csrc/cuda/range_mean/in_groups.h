#pragma once

// A range mean as a task of SelectInGroups: the ends are found among the keys, and then what is
// between them is added up.

#include "cuda/range_mean/call.h"
#include "cuda/select/in_groups.h"

namespace tailops {
namespace cuda {

template <typename T>
struct RangeInGroups : RangeCall<T> {
  using Call = RangeCall<T>;
  using Bits = typename Call::Bits;
  using Key = typename Call::Key;
  using Select = BlockSelect<Key>;
  using Read = KeysRead<Key>;
  using End = FoundEnd<Key>;

  static constexpr bool kAllValid = false;
  struct Room {
    RangeSum sums[kMostWarps];
  };

  static TAILOPS_DEVICE Key key_of(T value, bool valid) {
    return valid ? Bits::encode(value) : kNoKey<Key>;
  }

  template <typename Keys>
  TAILOPS_DEVICE void find(int64_t g, const Keys& keys, const Read& all,
                           typename Select::Shared& shared, Room& room) const {
    const int64_t n = this->length - all.absent;
    // A NaN's key is above all others.
    if (n == 0 || all.most == Bits::kNaN || !this->has_ends(n)) {
      if (device::thread() == 0) this->write_without(g, n);
      return;
    }
    const RangeEnds ends = this->ends(n);
    const auto end_at = [&](int64_t rank) {
      const Chosen<Key> chosen = Select::select(
          keys, static_cast<unsigned>(n), static_cast<unsigned>(rank), all.least, all.most, shared);
      return End{chosen.key, chosen.below, chosen.ties};
    };
    End lower{all.least, 0, 0};
    if (!ends.open_below || !ends.open_above) lower = end_at(ends.lower);
    End upper = lower;
    if (ends.upper >= lower.smaller + lower.ties && !ends.open_above) upper = end_at(ends.upper);
    const KeyRange<Key> between = ends.template between<T>(lower.key, upper.key);
    RangeSum sum{0.0, 0};
    keys.for_each([&](Key key, bool valid) {
      if (valid && between.holds(key)) sum += RangeSum{Call::value_of(key), 1};
    });
    sum = block_reduce(sum, room.sums, Add());
    if (device::thread() == 0) this->write(g, ends, lower, upper, sum);
  }
};

}  // namespace cuda
}  // namespace tailops
