#pragma once

// Selection from a group by one block, in one launch for any number of groups and q: the group is
// read once, as keys in shared memory; what does not fit is read again. Columns are read some at a
// time, where they fit together: neighbours share what memory delivers at once.

#include "cuda/device/vectors.h"
#include "cuda/quantile/call.h"
#include "cuda/quantile/forward_plan.h"
#include "cuda/select/in_team.h"

namespace tailops {
namespace cuda {

template <typename T>
struct SelectInGroups {
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;
  using Select = BlockSelect<Key>;
  using B = Batch<Values<T>>;

  static constexpr int kMostThreads = 512;
  static constexpr int kLeastBlocks = 1;

  // What reading the group once tells; NaNs are left out of the first two.
  struct Read {
    Key least;
    Key most;
    unsigned nans;

    TAILOPS_DEVICE void operator+=(const Read& other) {
      least = other.least < least ? other.least : least;
      most = other.most > most ? other.most : most;
      nans += other.nans;
    }
  };

  struct Shared {
    typename Select::Shared select;
    Read reads[kMostWarps];
  };

  SelectionCall<T> call;
  int64_t cached;  // keys of a group that there is shared memory for
  int columns;     // that a block reads together: all of their keys are cached

  TAILOPS_DEVICE void run(Shared& shared, unsigned char* dynamic) const {
    Key* const keys = reinterpret_cast<Key*>(dynamic);
    const int64_t across = (call.inner + columns - 1) / columns;
    for (int64_t tile = device::block(); tile < call.outer * across; tile += device::blocks()) {
      if (columns == 1) {
        one_group(tile, read(call.group(tile), keys), keys, shared);
      } else {
        some_columns(tile / across, tile % across * columns, keys, shared);
      }
    }
  }

 private:
  // Behind the last selection's last barrier no thread looks at a key: the next group may have
  // their place at once.
  TAILOPS_DEVICE void one_group(int64_t g, const Read& own, const Key* keys, Shared& shared) const {
    const Values<T> values = call.group(g);
    // The barriers of the reduction are those that the keys need, too.
    const Read all = block_reduce(own, shared.reads, Add());
    const auto key_at = [&](int64_t k) {
      return k < cached ? keys[k] : key_of(values.first[k * values.stride]);
    };
    const KeysAt<decltype(key_at), SelectionCall<T>::kIsInteger> all_keys(key_at, call.length);
    const int64_t n = call.selectable(all.nans);
    for (int64_t i = 0; i < call.q_count; ++i) {
      if (n == 0 || !call.has_value(i)) {
        if (device::thread() == 0) call.write_nan(g, i);
        continue;
      }
      const FoundKeys<Key> found = select(all_keys, call.rank(i, n), n, all, shared);
      if (device::thread() == 0) call.write(g, i, n, found);
    }
  }

  TAILOPS_DEVICE void some_columns(int64_t outer, int64_t first, Key* keys, Shared& shared) const {
    const int64_t left = call.inner - first;
    const int count = left < columns ? static_cast<int>(left) : columns;
    read_columns(outer, first, count, keys);
    device::barrier();
    for (int c = 0; c < count; ++c) {
      Key* const own = keys + c * column_stride(call.length);
      one_group(outer * call.inner + first + c, read_keys(own), own, shared);
    }
  }

  static TAILOPS_DEVICE Key key_of(T value) {
    const Key key = Bits::encode(value);
    return SelectionCall<T>::is_nan(key) ? kNoKey<Key> : key;
  }

  static TAILOPS_DEVICE Read read_of(Key key) {
    const bool valid = SelectionCall<T>::kIsInteger || key != kNoKey<Key>;
    return valid ? Read{key, key, 0u} : Read{~Key(0), 0, 1u};
  }

  TAILOPS_DEVICE Read read(const Values<T>& values, Key* keys) const {
    Read own{~Key(0), 0, 0};
    Vectors(values).for_each(device::thread(), device::threads(), [&](const B& batch) {
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (!(batch.inside >> j & 1u)) continue;
        const Key key = key_of(batch.values[j]);
        const int64_t k = batch.first[j / B::kLanes] + j % B::kLanes;
        if (k < cached) keys[k] = key;
        own += read_of(key);
      }
    });
    return own;
  }

  TAILOPS_DEVICE void read_columns(int64_t outer, int64_t first, int count, Key* keys) const {
    const T* const from = call.x + outer * call.length * call.inner + first;
    const int size = static_cast<int>(call.length) * count;
    for (int i = device::thread(); i < size; i += device::threads()) {
      const int k = i / count, c = i % count;
      keys[c * column_stride(call.length) + k] = key_of(from[k * call.inner + c]);
    }
  }

  TAILOPS_DEVICE Read read_keys(const Key* keys) const {
    Read own{~Key(0), 0, 0};
    for (int64_t k = device::thread(); k < call.length; k += device::threads()) {
      own += read_of(keys[k]);
    }
    return own;
  }

  template <typename Keys>
  TAILOPS_DEVICE FoundKeys<Key> select(const Keys& keys, const Rank& rank, int64_t n,
                                       const Read& all, Shared& shared) const {
    const unsigned place = static_cast<unsigned>(rank.lower);
    const Chosen<Key> lower =
        Select::select(keys, static_cast<unsigned>(n), place, all.least, all.most, shared.select);
    Chosen<Key> upper = lower;
    if (rank.weight != 0.0 && place + 1 >= lower.below + lower.ties) {
      upper = Select::next_above(keys, lower.key, shared.select);
    }
    return {lower.key, upper.key, lower.ties, upper.ties};
  }
};

}  // namespace cuda
}  // namespace tailops
