#pragma once

// Selection as a task of SelectInGroups: each q is found by itself among the keys.

#include "cuda/quantile/call.h"
#include "cuda/select/in_groups.h"

namespace tailops {
namespace cuda {

template <typename T>
struct SelectionInGroups : SelectionCall<T> {
  using Call = SelectionCall<T>;
  using typename Call::Key;
  using Select = BlockSelect<Key>;
  using Read = KeysRead<Key>;

  static constexpr bool kAllValid = Call::kIsInteger;
  struct Room {};

  // Whether NaNs are to be ignored or not, they are not selected.
  static TAILOPS_DEVICE Key key_of(T value, bool) {
    const Key key = Call::Bits::encode(value);
    return Call::is_nan(key) ? kNoKey<Key> : key;
  }

  template <typename Keys>
  TAILOPS_DEVICE void find(int64_t g, const Keys& keys, const Read& all,
                           typename Select::Shared& shared, Room&) const {
    const int64_t n = this->selectable(all.absent);
    for (int64_t i = 0; i < this->q_count; ++i) {
      if (n == 0 || !this->has_value(i)) {
        if (device::thread() == 0) this->write_nan(g, i);
        continue;
      }
      const FoundKeys<Key> found = select(keys, this->rank(i, n), n, all, shared);
      if (device::thread() == 0) this->write(g, i, this->rank(i, n), found);
    }
  }

 private:
  template <typename Keys>
  static TAILOPS_DEVICE FoundKeys<Key> select(const Keys& keys, const Rank& rank, int64_t n,
                                              const Read& all, typename Select::Shared& shared) {
    const unsigned place = static_cast<unsigned>(rank.lower);
    const Chosen<Key> lower =
        Select::select(keys, static_cast<unsigned>(n), place, all.least, all.most, shared);
    Chosen<Key> upper = lower;
    if (rank.weight != 0.0 && place + 1 >= lower.below + lower.ties) {
      upper = Select::next_above(keys, lower.key, shared);
    }
    return {lower.key, upper.key, static_cast<double>(lower.ties), static_cast<double>(upper.ties)};
  }
};

}  // namespace cuda
}  // namespace tailops
