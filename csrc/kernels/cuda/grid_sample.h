#pragma once

// draw and bracket: where the threshold must be, as far as a sample tells.

#include "../selection_plan.h"
#include "grid.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Draw {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;

  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = 4;
  struct Shared {};

  GridCall<T> grid;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    clear();
    const Elements<T> elements = grid.elements();
    const int64_t size = grid.workspace.sample;
    typename Bits::Key* const sample = grid.sample();
    const Call<T>& call = grid.call;
    for (int64_t i = grid.worker(); i < size; i += grid.workers()) {
      C d;
      const bool valid = elements.load(SelectionPlan::stratified(i, size, elements.length), d);
      sample[i] = valid ? Bits::encode(error_of(call.error_kind, call.weights.epsilon, d))
                        : kNoKey<typename Bits::Key>;
    }
  }

 private:
  TAILOPS_DEVICE void clear() const {
    static_assert(sizeof(Control<C>) % sizeof(unsigned) == 0, "cleared in words");
    unsigned* const words = reinterpret_cast<unsigned*>(&grid.control());
    constexpr int64_t kWords = sizeof(Control<C>) / sizeof(unsigned);
    for (int64_t i = grid.worker(); i < kWords; i += grid.workers()) words[i] = 0;
  }
};

template <typename T>
struct FindBracket {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using Select = BlockSelect<Key>;

  static constexpr int kMostThreads = 512;
  static constexpr int kLeastBlocks = 2;

  // What the sample is made of; and how much of it is near the bracket.
  struct Counts {
    Key least;
    Key most;
    unsigned valid;
    unsigned near;

    TAILOPS_DEVICE void operator+=(const Counts& other) {
      least = other.least < least ? other.least : least;
      most = other.most > most ? other.most : most;
      valid += other.valid;
      near += other.near;
    }
  };

  struct Shared {
    typename Select::Shared select;
    Counts counts[kMostWarps];
  };

  GridCall<T> grid;
  bool with_sums;
  int64_t cached;  // keys that there is shared memory for

  TAILOPS_DEVICE void run(Shared& shared, unsigned char* dynamic) const {
    const int64_t size = grid.workspace.sample;
    const Key* const sample = grid.sample();
    Key* const keys = reinterpret_cast<Key*>(dynamic);
    for (int64_t i = device::thread(); i < cached; i += device::threads()) keys[i] = sample[i];
    device::barrier();
    const auto key_at = [&](int64_t i) { return i < cached ? keys[i] : sample[i]; };
    const KeysAt sampled(key_at, size);
    Counts all{~Key(0), 0, 0, 0};
    sampled.for_each([&](Key key, bool counts) {
      if (counts) all += Counts{key, key, 1u, 0u};
    });
    all = block_reduce(all, shared.counts, Add());
    Bracket<C> bracket = beyond(all);
    bool keeps_band = false;
    if (all.valid != 0 && !is_forced_to_miss()) {
      bracket = bracket_of(sampled, all, shared);
      const Bracket<C> banded =
          with_band(bracket.low, bracket.high, rank_of(all).scale, grid.call.weights);
      keeps_band = with_sums && few_are_near(sampled, banded, shared);
      if (keeps_band) bracket = banded;
    }
    if (device::thread() == 0) {
      grid.control().bracket = bracket;
      grid.control().keeps_band = keeps_band;
    }
  }

 private:
  TAILOPS_DEVICE bool is_forced_to_miss() const {
    return grid.call.path == SelectionPath::kMiss || grid.call.path == SelectionPath::kRadix;
  }

  // The rank among as many elements as seem to count.
  TAILOPS_DEVICE int64_t likely_count(const Counts& all) const {
    const double share =
        static_cast<double>(all.valid) / static_cast<double>(grid.workspace.sample);
    const int64_t count = static_cast<int64_t>(share * static_cast<double>(grid.call.length));
    return count < 1 ? 1 : count;
  }

  TAILOPS_DEVICE Rank rank_of(const Counts& all) const { return grid.call.rank(likely_count(all)); }

  // A bracket that holds nothing of the sample.
  TAILOPS_DEVICE Bracket<C> beyond(const Counts& all) const {
    const C above = C(2) * Bits::decode(all.most) + C(1);
    const C place = all.valid == 0 || grid.call.path == SelectionPath::kRadix || !(above == above)
                        ? std::numeric_limits<C>::infinity()
                        : above;
    return {place, place, place, place};
  }

  template <typename Keys>
  TAILOPS_DEVICE Bracket<C> bracket_of(const Keys& sampled, const Counts& all,
                                       Shared& shared) const {
    const SelectionPlan plan(rank_of(all), likely_count(all));
    const int64_t valid = static_cast<int64_t>(all.valid);
    const C low = order_statistic(sampled, all, plan.lower_place(valid, kDeviations), shared);
    const C high = order_statistic(sampled, all, plan.upper_place(valid, kDeviations), shared);
    return {low, low, high, high};
  }

  // Errors are positive: below the sample is 0.
  template <typename Keys>
  TAILOPS_DEVICE C order_statistic(const Keys& sampled, const Counts& all, double place,
                                   Shared& shared) const {
    if (place < 0.0) return C(0);
    if (place >= static_cast<double>(all.valid)) return std::numeric_limits<C>::infinity();
    const Chosen<Key> chosen = Select::select(sampled, all.valid, static_cast<unsigned>(place),
                                              all.least, all.most, shared.select);
    return chosen.key == Bits::kNaN ? std::numeric_limits<C>::infinity() : Bits::decode(chosen.key);
  }

  // Whether what lies in the band can be kept; the rest of the room is for clusters.
  template <typename Keys>
  TAILOPS_DEVICE bool few_are_near(const Keys& sampled, const Bracket<C>& bracket,
                                   Shared& shared) const {
    constexpr double kShare = 0.75;
    Counts near{~Key(0), 0, 0, 0};
    sampled.for_each([&](Key key, bool counts) {
      if (!counts) return;
      const C e = Bits::decode(key);
      const bool is_kept =
          e >= bracket.band_low && e <= bracket.band_high && e != bracket.low && e != bracket.high;
      near.near += is_kept ? 1u : 0u;
    });
    near = block_reduce(near, shared.counts, Add());
    const double room = static_cast<double>(grid.warps * grid.workspace.segment);
    const double share =
        static_cast<double>(near.near) / static_cast<double>(grid.workspace.sample);
    return share * static_cast<double>(grid.call.length) <= kShare * room;
  }
};

}  // namespace cuda
}  // namespace tailops
