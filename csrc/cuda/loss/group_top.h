#pragma once

// The largest errors of a group, one for each lane of the warp that does it. Where the rank is not
// far from the top and little is near the threshold, they are all that selection and sums need:
// what is below is added up while they are looked for.
//
// So many of the lanes' largest keys are above one of these, so the order statistic is not below
// it.

#include "cuda/loss/group_keys.h"

namespace tailops {
namespace cuda {

// Of a team that has none.
template <typename T, typename Team>
class GroupTop {
 public:
  using Key = typename GroupKeys<T, Team>::Key;
  struct Shared {};

  explicit TAILOPS_DEVICE GroupTop(const Team&) {}
  template <typename... Arguments>
  TAILOPS_DEVICE void look(const Arguments&...) const {}
  static constexpr bool is_known() { return false; }
  TAILOPS_DEVICE Chosen<Key> lower() const { return {}; }
  TAILOPS_DEVICE Chosen<Key> upper() const { return {}; }
  template <typename... Arguments>
  TAILOPS_DEVICE void add(const Arguments&...) const {}
};

template <typename T>
class GroupTop<T, WarpTeam> {
 public:
  using C = ComputeType<T>;
  using Keys = GroupKeys<T, WarpTeam>;
  using Bits = typename Keys::Bits;
  using Key = typename Bits::Key;

  static constexpr unsigned kKept = device::kWarp;

  struct Shared {
    Key keys[kKept];
    unsigned count;
  };

  explicit TAILOPS_DEVICE GroupTop(const WarpTeam& warp) : warp_(warp) {}

  // At a group without NaN, of so many valid elements, of which the largest and the
  // largest of this lane are known. `has_sums`: what is near the threshold is wanted, too.
  TAILOPS_DEVICE void look(const Keys& keys, Key most_of_lane, Key most, unsigned valid,
                           const Rank& rank, const LossParameters<C>& parameters, bool has_sums,
                           Shared& shared) {
    from_top_ = valid - 1 - static_cast<unsigned>(rank.lower);
    // With so many lanes' largest above it, a bound has about one key for each lane above it.
    constexpr int kMostLanes = 20;
    if (from_top_ >= kMostLanes) return;
    Key low = warp_.from(sorted(most_of_lane), static_cast<int>(from_top_));
    if (has_sums) {
      const C band_low =
          with_band(Bits::decode(low), Bits::decode(most), rank.factor, parameters).band_low;
      const Key of_band = Bits::encode(band_low);
      low = of_band < low ? of_band : low;
    }
    if (device::count_bits(device::ballot(most_of_lane >= low)) > kMostLanes) return;
    gather(keys, low, shared);
  }

  // Whether the rest is known now.
  TAILOPS_DEVICE bool is_known() const { return is_known_; }

  // The order statistic; or the next, where there is one. Only how many are smaller is not said.
  TAILOPS_DEVICE Chosen<Key> lower() const { return chosen(from_top_); }
  TAILOPS_DEVICE Chosen<Key> upper() const { return chosen(from_top_ - 1); }

  // This lane's share of the sums.
  TAILOPS_DEVICE void add(const Tail<C>& tail, const LossParameters<C>& parameters,
                          double& weighted, double& slopes) const {
    weighted += below_;
    if (own_ == kNoKey<Key>) return;
    add_element(Bits::decode(own_), tail, parameters, weighted, slopes);
  }

 private:
  // Across the lanes, the largest first.
  TAILOPS_DEVICE Key sorted(Key key) const {
    const int lane = device::lane();
    TAILOPS_UNROLL
    for (int size = 2; size <= device::kWarp; size *= 2) {  // bitonic
      TAILOPS_UNROLL
      for (int distance = size / 2; distance > 0; distance /= 2) {
        const Key other = warp_.from(key, lane ^ distance);
        const bool wants_larger = ((lane & distance) == 0) == ((lane & size) == 0);
        const Key larger = other > key ? other : key, smaller = other > key ? key : other;
        key = wants_larger ? larger : smaller;
      }
    }
    return key;
  }

  TAILOPS_DEVICE void gather(const Keys& keys, Key low, Shared& shared) {
    if (warp_.thread() == 0) shared.count = 0;
    warp_.barrier();
    keys.scan(
        [&](const Key(&of_batch)[Keys::B::kSize]) {
          unsigned marked = 0;
          C below = C(0);
          TAILOPS_UNROLL
          for (int j = 0; j < Keys::B::kSize; ++j) {
            if (of_batch[j] >= low) {
              marked |= 1u << j;
            } else {
              below += of_batch[j] == kNoKey<Key> ? C(0) : Bits::decode(of_batch[j]);
            }
          }
          below_ += static_cast<double>(below);
          return marked;
        },
        [&](Key key) {
          const unsigned at = device::atomic_add(&shared.count, 1u);
          if (at < kKept) shared.keys[at] = key;
        });
    warp_.barrier();
    const unsigned count = shared.count, lane = static_cast<unsigned>(device::lane());
    const Key key = lane < count ? shared.keys[lane] : kNoKey<Key>;
    warp_.barrier();  // they are free for the warp's next group
    is_known_ = count <= kKept;
    // In an order that does not depend on which lane came first.
    if (is_known_) own_ = sorted(key);
  }

  TAILOPS_DEVICE Chosen<Key> chosen(unsigned from_top) const {
    const Key key = warp_.from(own_, static_cast<int>(from_top));
    return {key, 0, static_cast<unsigned>(device::count_bits(device::ballot(own_ == key)))};
  }

  const WarpTeam warp_;
  unsigned from_top_ = 0;
  bool is_known_ = false;
  Key own_ = kNoKey<Key>;
  double below_ = 0.0;
};

}  // namespace cuda
}  // namespace tailops
