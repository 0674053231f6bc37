#pragma once

// The errors of a group as keys. The team that does the group reads it once and keeps them in
// shared memory, where each thread goes over its own as often as it likes; what does not fit is
// computed again from the inputs.

#include "cuda/device/vectors.h"
#include "cuda/loss/errors.h"
#include "cuda/select/in_team.h"

namespace tailops {
namespace cuda {

template <typename T, typename Team>
class GroupKeys {
 public:
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using B = Batch<Elements<T>, Team::kVectors>;

  // Only a block does groups that do not fit.
  static constexpr bool kKeepsAll = !Team::kIsBlock;

  // `kept` has room for so many keys, from a multiple of 16 bytes on.
  TAILOPS_DEVICE GroupKeys(const Call<T>& call, int64_t g, const Team& team, Key* kept,
                           int64_t room)
      : call_(call),
        elements_(call.group(g)),
        vectors_(elements_),
        kept_(kept),
        count_(static_cast<int>(vectors_.count())),
        thread_(team.thread()),
        stride_(team.threads()),
        step_(B::kVectors * team.threads()) {
    const int64_t vectors = room / B::kLanes;
    if (!kKeepsAll && vectors < count_) count_ = static_cast<int>(vectors);
  }

  // Before anything else: body(batch, keys) for each of the thread's batches.
  template <typename Body>
  TAILOPS_DEVICE void read(const Body& body) const {
    const int count = kKeepsAll ? count_ : static_cast<int>(vectors_.count());
    for (int v = thread_; v - thread_ < count; v += step_) {
      const B batch = vectors_.batch(v, stride_);
      Key keys[B::kSize];
      keys_of(call_.error_kind, call_.epsilon, batch.values, keys);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) keys[j] = batch.valid >> j & 1u ? keys[j] : kNoKey<Key>;
      keep(v, keys);
      body(batch, keys);
    }
  }

  // body(key, valid) for each of the thread's keys; all threads of a team get the same number.
  template <typename Body>
  TAILOPS_DEVICE void for_each(const Body& body) const {
    for (int v = thread_; v - thread_ < count_; v += step_) {
      Key keys[B::kSize];
      load(v, keys);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) body(keys[j], keys[j] != kNoKey<Key>);
    }
    for_each_not_kept([&](Key key) { body(key, key != kNoKey<Key>); });
  }

  // body(key) for those of the thread's keys that `wanted` is true of; never kNoKey.
  template <typename Wanted, typename Body>
  TAILOPS_DEVICE void for_each_of(const Wanted& wanted, const Body& body) const {
    scan(
        [&](const Key(&keys)[B::kSize]) {
          unsigned marked = 0;
          TAILOPS_UNROLL
          for (int j = 0; j < B::kSize; ++j) marked |= wanted(keys[j]) ? 1u << j : 0u;
          return marked;
        },
        body);
  }

  // look(keys) for each of the thread's batches, and later body(key) for those that it has set a
  // bit for: each lane goes on to its next, so that few of a warp wait where few are looked for.
  template <typename Look, typename Body>
  TAILOPS_DEVICE void scan(const Look& look, const Body& body) const {
    constexpr int kBatches = 32 / B::kSize;
    for (int first = thread_; first - thread_ < count_; first += kBatches * step_) {
      unsigned marked = 0;
      int v = first;
      for (int b = 0; b < kBatches && v - thread_ < count_; ++b, v += step_) {
        Key keys[B::kSize];
        load(v, keys);
        marked |= look(keys) << (b * B::kSize);
      }
      for (; marked != 0; marked &= marked - 1) {
        const int j = device::first_bit(marked);
        body(kept_[(first + j / B::kLanes * stride_) * B::kLanes + j % B::kLanes]);
      }
    }
    for_each_not_kept([&](Key key) {
      Key keys[B::kSize] = {key};
      if (look(keys) != 0) body(key);
    });
  }

 private:
  static constexpr int kParts = B::kLanes * static_cast<int>(sizeof(Key)) / 16;  // of a vector
  static_assert(kNoKey<Key> == 0, "what there is where there is none");

  // One by one: what several at once need for it would be most of the text of those who ask.
  template <typename Body>
  TAILOPS_DEVICE void for_each_not_kept(const Body& body) const {
    if constexpr (!kKeepsAll) {
      const int64_t first = count_ == 0 ? 0 : vectors_.element(count_, 0);
      for (int64_t k = first + thread_; k - thread_ < elements_.length; k += stride_) {
        C d;
        const bool valid = k < elements_.length && elements_.load(k, d);
        body(valid ? key_of(call_.error_kind, call_.epsilon, d) : kNoKey<Key>);
      }
    }
  }

  TAILOPS_DEVICE void keep(int v, const Key (&keys)[B::kSize]) const {
    TAILOPS_UNROLL
    for (int u = 0; u < B::kVectors; ++u) {
      if (v + u * stride_ >= count_) continue;
      device::Vector16 raw[kParts];
      memcpy(raw, keys + u * B::kLanes, sizeof(raw));
      TAILOPS_UNROLL
      for (int p = 0; p < kParts; ++p) at(v + u * stride_)[p] = raw[p];
    }
  }

  TAILOPS_DEVICE void load(int v, Key (&keys)[B::kSize]) const {
    TAILOPS_UNROLL
    for (int u = 0; u < B::kVectors; ++u) {
      device::Vector16 raw[kParts] = {};
      if (v + u * stride_ < count_) {
        TAILOPS_UNROLL
        for (int p = 0; p < kParts; ++p) raw[p] = at(v + u * stride_)[p];
      }
      memcpy(keys + u * B::kLanes, raw, sizeof(raw));
    }
  }

  TAILOPS_DEVICE device::Vector16* at(int vector) const {
    return reinterpret_cast<device::Vector16*>(kept_) + vector * kParts;
  }

  const Call<T>& call_;
  const Elements<T> elements_;
  const Vectors<Elements<T>, Team::kVectors> vectors_;
  Key* const kept_;
  int count_;  // of the vectors that are kept
  const int thread_;
  const int stride_;
  const int step_;
};

}  // namespace cuda
}  // namespace tailops
