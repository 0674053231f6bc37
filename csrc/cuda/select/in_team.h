#pragma once

// An order statistic among keys that a team goes over as often as it likes: digit by digit, from
// the leading one, until so few keys are left that each can be compared with all others.

#include "core/ordered_bits.h"
#include "cuda/device/team.h"

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

  // body(key, valid) for the thread's share; the lanes of a warp get the same number, beyond the
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

  // body(key) for those of the thread's share that `wanted` is true of: few, and never kNoKey,
  // where that does not count.
  template <typename Wanted, typename Body>
  TAILOPS_DEVICE void for_each_of(const Wanted& wanted, const Body& body) const {
    for_each([&](auto key, bool valid) {
      if (valid && wanted(key)) body(key);
    });
  }

 private:
  const KeyAt& key_at_;
  int64_t length_;
};

// From any source of keys that has for_each and for_each_of.
template <typename Team, typename Key>
class TeamSelect {
 public:
  static constexpr int kDigitBits = Team::kDigitBits;
  static constexpr int kBins = 1 << kDigitBits;
  static constexpr unsigned kFew = 32;

 private:
  // The order statistic is among the `live` keys from base on, and `remaining` its rank there.
  struct Range {
    Key base;
    unsigned remaining;
    unsigned live;
  };

  struct Next {
    Key key;  // or kNoKey
    unsigned ties;

    TAILOPS_DEVICE void operator+=(const Next& other) {
      if (other.key == kNoKey<Key>) return;
      if (key == other.key) {
        ties += other.ties;
      } else if (key == kNoKey<Key> || other.key < key) {
        *this = other;
      }
    }
  };

 public:
  struct Shared {
    alignas(16) unsigned bins[kBins];
    Key few[kFew];
    Chosen<Key> chosen;
    Range range;
    typename Team::template Room<Next> next;
    unsigned few_count;
  };

  // `count` of the keys count, all in [least, most]. No thread looks at a key before a barrier of
  // the team.
  template <typename Keys>
  static TAILOPS_DEVICE Chosen<Key> select(const Keys& keys, unsigned count, unsigned rank,
                                           Key least, Key most, Shared& shared,
                                           const Team& team = Team()) {
    return in_range_of(keys, {least, rank, count}, most, rank, shared, team);
  }

  // The smallest key above this one, and how many there are of it; none: kNoKey.
  template <typename Keys>
  static TAILOPS_DEVICE Chosen<Key> next_above(const Keys& keys, Key below, Shared& shared,
                                               const Team& team = Team()) {
    Next next{kNoKey<Key>, 0};
    keys.for_each([&](Key key, bool valid) {
      if (valid && key > below) next += Next{key, 1};
    });
    next = team.reduce(next, shared.next, Add());
    return {next.key, 0, next.ties};
  }

 private:
  template <typename Keys>
  static TAILOPS_DEVICE Chosen<Key> in_range_of(const Keys& keys, Range range, Key most,
                                                unsigned rank, Shared& shared, const Team& team) {
    int bits = device::bit_length(static_cast<Key>(most - range.base));
    while (bits > 0 && range.live > kFew) {
      const int shift = bits > kDigitBits ? bits - kDigitBits : 0;
      for (int b = team.thread(); b < kBins; b += team.threads()) shared.bins[b] = 0;
      team.barrier();
      keys.for_each([&](Key key, bool valid) {
        const bool active = valid && in_range(key, range.base, bits);
        team.count(shared.bins, active,
                   static_cast<unsigned>(active ? (key - range.base) >> shift : 0));
      });
      team.barrier();
      int bin = 0;
      unsigned rest = 0;
      const bool found = team.find_rank(shared.bins, kBins, range.remaining, bin, rest);
      if (found) range = {range.base + (static_cast<Key>(bin) << shift), rest, shared.bins[bin]};
      range = team.share(found, range, shared.range);
      bits = shift;
    }
    if (bits == 0) return {range.base, rank - range.remaining, range.live};
    const Key last = range.base + (((Key(1) << (bits - 1)) - 1) << 1 | 1);
    gather(keys, range.base, last < range.base ? most : last, shared, team);
    return among_few(range.live, rank, range.remaining, shared, team);
  }

  // How many keys there are in [base, last]; they are in shared.few as far as there is room.
  template <typename Keys>
  static TAILOPS_DEVICE unsigned gather(const Keys& keys, Key base, Key last, Shared& shared,
                                        const Team& team) {
    if (team.thread() == 0) shared.few_count = 0;
    team.barrier();
    keys.for_each_of([&](Key key) { return key >= base && key <= last; },
                     [&](Key key) {
                       const unsigned at = device::atomic_add(&shared.few_count, 1u);
                       if (at < kFew) shared.few[at] = key;
                     });
    team.barrier();
    return shared.few_count;
  }

  // Of keys in shared.few, by the first of the team's threads.
  static TAILOPS_DEVICE Chosen<Key> among_few(unsigned live, unsigned rank, unsigned remaining,
                                              Shared& shared, const Team& team) {
    const unsigned few_threads =
        static_cast<unsigned>(team.threads()) < kFew ? static_cast<unsigned>(team.threads()) : kFew;
    Chosen<Key> chosen{kNoKey<Key>, 0, 0};
    bool found = false;
    const unsigned thread = static_cast<unsigned>(team.thread());
    for (unsigned own = thread; thread < few_threads && own < live; own += few_threads) {
      const Key key = shared.few[own];
      unsigned smaller = 0, ties = 0;
      for (unsigned i = 0; i < live; ++i) {
        smaller += shared.few[i] < key ? 1u : 0u;
        ties += shared.few[i] == key ? 1u : 0u;
      }
      if (smaller <= remaining && remaining < smaller + ties) {
        found = true;
        chosen = {key, rank - remaining + smaller, ties};
      }
    }
    return team.share(found, chosen, shared.chosen);
  }
};

// By a block.
template <typename Key>
using BlockSelect = TeamSelect<BlockTeam, Key>;

}  // namespace cuda
}  // namespace tailops
