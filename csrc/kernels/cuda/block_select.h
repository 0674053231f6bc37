#pragma once

// An order statistic among keys that one block goes over as often as it likes: digit by digit, from
// the leading one, until so few keys are left that each can be compared with all others.

#include "../ordered_bits.h"
#include "block.h"

namespace tailops {
namespace cuda {

// The key of an element that does not count. No floating-point number's key is that small.
template <typename Key>
constexpr Key kNoKey = 0;

// Whether a key is one of the 2^bits from `base` on.
template <typename Key>
TAILOPS_DEVICE bool in_range(Key key, Key base, int bits) {
  if (key < base) return false;
  return bits == static_cast<int>(8 * sizeof(Key)) || (key - base) >> bits == 0;
}

template <typename Key>
struct Chosen {
  Key key;
  unsigned below;  // how many keys are smaller
  unsigned ties;   // how many are equal
};

// key_at(k) for k in [0, length), in turn for the block's threads: a source of keys, of which other
// sources are a list in which some do not count, or a tensor.
// kAllCount: there are no keys that do not count, and kNoKey is one as all others.
template <typename KeyAt, bool kAllCount = false>
class KeysAt {
 public:
  TAILOPS_DEVICE KeysAt(const KeyAt& key_at, int64_t length) : key_at_(key_at), length_(length) {}

  // body(key, counts) for the thread's share; the lanes of a warp get the same number, beyond the
  // end kNoKey that does not count.
  template <typename Body>
  TAILOPS_DEVICE void for_each(const Body& body) const {
    using Key = decltype(key_at_(int64_t{0}));
    const int lane = device::lane();
    for (int64_t k = device::thread(); k - lane < length_; k += device::threads()) {
      const bool inside = k < length_;
      const Key key = inside ? key_at_(k) : kNoKey<Key>;
      body(key, inside && (kAllCount || key != kNoKey<Key>));
    }
  }

 private:
  const KeyAt& key_at_;
  int64_t length_;
};

// From any source of keys that has for_each.
template <typename Key>
class BlockSelect {
 public:
  static constexpr int kDigitBits = 8;
  static constexpr int kBins = 1 << kDigitBits;
  static constexpr unsigned kFew = 32;

  struct Shared {
    Key few[kFew];
    Key base;
    Chosen<Key> chosen;
    unsigned bins[kBins];
    unsigned few_count;
    unsigned remaining;
    unsigned live;
    int bits;
    Key least[kMostWarps];
    unsigned counts[kMostWarps];
  };

  // `count` of the keys count, all in [least, most].
  template <typename Keys>
  static TAILOPS_DEVICE Chosen<Key> select(const Keys& keys, unsigned count, unsigned rank,
                                           Key least, Key most, Shared& shared) {
    Key base = least;
    int bits = device::bit_length(static_cast<Key>(most - least));
    unsigned remaining = rank, live = count;
    while (bits > 0 && live > kFew) {
      const int shift = bits > kDigitBits ? bits - kDigitBits : 0;
      for (int b = device::thread(); b < kBins; b += device::threads()) shared.bins[b] = 0;
      device::barrier();
      keys.for_each([&](Key key, bool counts) {
        const bool active = counts && in_range(key, base, bits);
        count_in_bins(shared.bins, active,
                      static_cast<unsigned>(active ? (key - base) >> shift : 0));
      });
      device::barrier();
      if (device::warp() == 0) {
        int bin;
        unsigned rest;
        if (find_rank(shared.bins, kBins, remaining, bin, rest)) {
          shared.base = base + (static_cast<Key>(bin) << shift);
          shared.remaining = rest;
          shared.live = shared.bins[bin];
        }
      }
      device::barrier();
      base = shared.base;
      remaining = shared.remaining;
      live = shared.live;
      bits = shift;  // two barriers until anyone writes these again
    }
    if (bits == 0) return {base, rank - remaining, live};
    return among_few(keys, base, bits, rank, remaining, live, shared);
  }

  // The smallest key above this one, and how many there are of it; none: kNoKey.
  template <typename Keys>
  static TAILOPS_DEVICE Chosen<Key> next_above(const Keys& keys, Key below, Shared& shared) {
    Key least = kNoKey<Key>;
    keys.for_each([&](Key key, bool counts) {
      if (counts && key > below && (least == kNoKey<Key> || key < least)) least = key;
    });
    least = block_reduce(least, shared.least, [](Key a, Key b) {
      return a == kNoKey<Key> ? b : (b == kNoKey<Key> || a < b ? a : b);
    });
    unsigned ties = 0;
    keys.for_each([&](Key key, bool counts) {
      if (counts && key == least) ++ties;
    });
    return {least, 0, block_reduce(ties, shared.counts, Add())};
  }

 private:
  template <typename Keys>
  static TAILOPS_DEVICE Chosen<Key> among_few(const Keys& keys, Key base, int bits, unsigned rank,
                                              unsigned remaining, unsigned live, Shared& shared) {
    if (device::thread() == 0) shared.few_count = 0;
    device::barrier();
    keys.for_each([&](Key key, bool counts) {
      if (counts && in_range(key, base, bits)) {
        shared.few[device::atomic_add(&shared.few_count, 1u)] = key;
      }
    });
    device::barrier();
    if (device::thread() < static_cast<int>(live)) {
      const unsigned own = static_cast<unsigned>(device::thread());
      const Key key = shared.few[own];
      unsigned smaller = 0, ties = 0, ties_before = 0;
      for (unsigned i = 0; i < live; ++i) {
        smaller += shared.few[i] < key ? 1u : 0u;
        ties += shared.few[i] == key ? 1u : 0u;
        ties_before += i < own && shared.few[i] == key ? 1u : 0u;
      }
      if (ties_before == 0 && smaller <= remaining && remaining < smaller + ties) {
        shared.chosen = {key, rank - remaining + smaller, ties};
      }
    }
    device::barrier();
    const Chosen<Key> chosen = shared.chosen;
    device::barrier();
    return chosen;
  }
};

}  // namespace cuda
}  // namespace tailops
