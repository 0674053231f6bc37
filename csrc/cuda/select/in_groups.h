#pragma once

// Order statistics of groups by one block each, in one launch for any number of groups: a group is
// read once, as keys in shared memory; what does not fit is read again. Columns are read some at a
// time, where they fit together: neighbours share what memory delivers at once.

#include "cuda/device/vectors.h"
#include "cuda/select/groups_plan.h"
#include "cuda/select/in_team.h"

namespace tailops {
namespace cuda {

// What reading a group tells of its keys; those of ignored elements are absent, and in no extent.
template <typename Key>
struct KeysRead {
  Key least;
  Key most;
  unsigned absent;

  TAILOPS_DEVICE void operator+=(const KeysRead& other) {
    least = other.least < least ? other.least : least;
    most = other.most > most ? other.most : most;
    absent += other.absent;
  }
};

// Task is what is looked for, and where it is written:
//
//   Groups, with `group(g)`: the Elements of one; and `all_from(at)`: of all, side by side
//   key_of(value, valid): kNoKey, of what takes no part; where kAllValid, nothing is ignored
//   find(g, keys, read, shared, room): by all threads of the block, which may go over the keys as
//     often as they like. At its end no thread looks at a key, nor at the room.
template <typename Task>
struct SelectInGroups {
  using Elements = typename Task::Elements;
  using T = typename Elements::Element;
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;
  using Read = KeysRead<Key>;
  using B = Batch<Elements>;

  static constexpr int kMostThreads = 512;
  static constexpr int kLeastBlocks = 1;

  struct Shared {
    typename BlockSelect<Key>::Shared select;
    union {
      Read reads[kMostWarps];
      typename Task::Room room;
    };
  };

  Task task;
  int64_t cached;  // keys of a group that there is shared memory for
  int columns;     // that a block reads together: all of their keys are cached

  TAILOPS_DEVICE void run(Shared& shared, unsigned char* dynamic) const {
    Key* const keys = reinterpret_cast<Key*>(dynamic);
    const int64_t across = (task.inner + columns - 1) / columns;
    for (int64_t tile = device::block(); tile < task.outer * across; tile += device::blocks()) {
      if (columns == 1) {
        one_group(tile, read(task.group(tile), keys), keys, shared);
      } else {
        some_columns(tile / across, tile % across * columns, keys, shared);
      }
    }
  }

 private:
  // Behind the task's last barrier no thread looks at a key: the next group may have their place at
  // once.
  TAILOPS_DEVICE void one_group(int64_t g, const Read& own, const Key* keys, Shared& shared) const {
    const Elements elements = task.group(g);
    // The barriers of the reduction are those that the keys need, too.
    const Read all = block_reduce(own, shared.reads, Add());
    const auto key_at = [&](int64_t k) {
      if (k < cached) return keys[k];
      T value;
      const bool valid = elements.load(k, value);
      return task.key_of(value, valid);
    };
    const KeysAt<decltype(key_at), Task::kAllValid> all_keys(key_at, task.length);
    task.find(g, all_keys, all, shared.select, shared.room);
  }

  TAILOPS_DEVICE void some_columns(int64_t outer, int64_t first, Key* keys, Shared& shared) const {
    const int64_t left = task.inner - first;
    const int count = left < columns ? static_cast<int>(left) : columns;
    read_columns(outer, first, count, keys);
    device::barrier();
    for (int c = 0; c < count; ++c) {
      Key* const own = keys + c * column_stride(task.length);
      one_group(outer * task.inner + first + c, read_keys(own), own, shared);
    }
  }

  static TAILOPS_DEVICE Read nothing_read() { return {~Key(0), 0, 0}; }

  static TAILOPS_DEVICE Read read_of(Key key) {
    const bool valid = Task::kAllValid || key != kNoKey<Key>;
    return valid ? Read{key, key, 0u} : Read{~Key(0), 0, 1u};
  }

  TAILOPS_DEVICE Read read(const Elements& elements, Key* keys) const {
    Read own = nothing_read();
    Vectors(elements).for_each(device::thread(), device::threads(), [&](const B& batch) {
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (!(batch.inside >> j & 1u)) continue;
        const Key key = task.key_of(batch.values[j], (batch.valid >> j & 1u) != 0);
        const int64_t k = batch.first[j / B::kLanes] + j % B::kLanes;
        if (k < cached) keys[k] = key;
        own += read_of(key);
      }
    });
    return own;
  }

  TAILOPS_DEVICE void read_columns(int64_t outer, int64_t first, int count, Key* keys) const {
    const Elements from = task.all_from(outer * task.length * task.inner + first);
    const int size = static_cast<int>(task.length) * count;
    for (int i = device::thread(); i < size; i += device::threads()) {
      const int k = i / count, c = i % count;
      T value;
      const bool valid = from.load(k * task.inner + c, value);
      keys[c * column_stride(task.length) + k] = task.key_of(value, valid);
    }
  }

  TAILOPS_DEVICE Read read_keys(const Key* keys) const {
    Read own = nothing_read();
    for (int64_t k = device::thread(); k < task.length; k += device::threads()) {
      own += read_of(keys[k]);
    }
    return own;
  }
};

}  // namespace cuda
}  // namespace tailops
