#pragma once

// descend: finds the order statistics, where collect says that they are. Few are there: they are
// put in a list, and the last block finds them in it. Where there are many, most of them the same,
// they are counted in finer bins.

#include "cuda/loss/grid/pass.h"
#include "cuda/loss/grid/sample.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Descend {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using Select = BlockSelect<Key>;

  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = 2;

  // The rank is outside of what the sample says then once in 10¹² calls.
  static constexpr double kMoreDeviations = 7.0;

  struct Search {
    typename Select::Shared select;
    BinSearch::Shared bin_search;
    unsigned bins[2][kGridBins];
    Extent<Key> extents[2];
  };

  // One after the other.
  struct Shared {
    union {
      typename Sampled<T>::Shared sampled;
      typename Pass<T>::Shared pass;
      Search search;
    };
    unsigned is_last;
  };

  GridCall<T> grid;
  GroupState* state;
  int64_t piece;  // elements that a block counts in 32 bits

  TAILOPS_DEVICE void run(Shared& shared, unsigned char*) const {
    Control<C>& control = grid.control();
    const Next next = control.next;
    const Seek<Key> seeks[2] = {control.seeks[0], control.seeks[1]};
    if (next == Next::kWrite) {
      if (device::block() == 0 && device::thread() == 0) write(control, seeks);
      return;
    }
    if (next == Next::kFind) {
      const bool lists = sought(seeks) <= static_cast<uint64_t>(grid.workspace.list);
      if (lists) {
        list(control, seeks);
      } else {
        count(control, seeks, shared.search);
      }
      if (is_last_block(&control.finished, &shared.is_last)) {
        lists ? find_in_list(control, shared.search) : find_in_bins(control, shared.search);
      }
      return;
    }
    Attempt<C>& attempt = control.attempts[1];
    const bool keeps_band = next == Next::kElsewhere && control.attempts[0].keeps_band != 0;
    const Bracket<C> bracket = better_bracket(control, next, keeps_band, shared);
    Pass<T>::run(grid, bracket, keeps_band, attempt, shared.pass, [](Key) {});
    if (is_last_block(&control.finished, &shared.is_last)) {
      find_again(control, bracket, keeps_band, shared.search);
    }
  }

 private:
  // How many elements are where these two are.
  static TAILOPS_DEVICE uint64_t sought(const Seek<Key> (&seeks)[2]) {
    const uint64_t lower = seeks[0].found() ? 0 : seeks[0].count;
    const bool is_one = seeks[1].found() || seeks[1].shares_range(seeks[0]);
    return lower + (is_one ? 0 : seeks[1].count);
  }

  static TAILOPS_DEVICE bool is_sought(const Seek<Key>& seek, Key key) {
    return !seek.found() && seek.holds(key);
  }

  template <typename Visit>
  TAILOPS_DEVICE void for_each_own_candidate(const Visit& visit) const {
    grid.for_each_candidate(grid.warp(), device::blocks() * device::warps(),
                            [&](C error, bool valid) { visit(Bits::encode(error), valid); });
  }

  TAILOPS_DEVICE void list(Control<C>& control, const Seek<Key> (&seeks)[2]) const {
    for_each_own_candidate([&](Key key, bool valid) {
      const bool is_in = valid && (is_sought(seeks[0], key) || is_sought(seeks[1], key));
      const unsigned all = device::ballot(is_in);
      if (all == 0) return;
      unsigned at = 0;
      if (device::lane() == 0) {
        at = device::atomic_add(&control.listed, static_cast<unsigned>(device::count_bits(all)));
      }
      at = device::shuffle(at, 0);
      const unsigned before = all & ((1u << device::lane()) - 1u);
      if (is_in) grid.list()[at + static_cast<unsigned>(device::count_bits(before))] = key;
    });
  }

  TAILOPS_DEVICE void find_in_list(Control<C>& control, Search& shared) const {
    constexpr int64_t kCached = sizeof(shared.bin_search.counts) / (sizeof(Key));
    Key* const cache = reinterpret_cast<Key*>(shared.bin_search.counts);
    const int64_t size = device::load_fresh(&control.listed);
    const Key* const listed = grid.list();
    for (int64_t i = device::thread(); i < size && i < kCached; i += device::threads()) {
      cache[i] = device::load_fresh(listed + i);  // select has a barrier before it looks at one
    }
    Seek<Key> seeks[2] = {control.seeks[0], control.seeks[1]};
    const Seek<Key> first = seeks[0];
    TAILOPS_UNROLL
    for (int i = 0; i < 2; ++i) {
      if (i == 1 && is_tied(first, seeks)) seeks[1] = seeks[0];
      if (seeks[i].found()) continue;
      const Seek<Key> seek = seeks[i];
      const auto key_at = [&](int64_t k) {
        const Key key = k < kCached ? cache[k] : device::load_fresh(listed + k);
        return seek.holds(key) ? key : kNoKey<Key>;
      };
      const Chosen<Key> chosen =
          Select::select(KeysAt(key_at, size), static_cast<unsigned>(seek.count),
                         static_cast<unsigned>(seek.rest), seek.first, seek.last, shared.select);
      seeks[i] = {chosen.key, chosen.key, seek.rest - chosen.below, chosen.ties};
    }
    if (device::thread() == 0) write(control, seeks);
  }

  // Whether the upper order statistic is the lower one, which is found and was sought as `first`.
  static TAILOPS_DEVICE bool is_tied(const Seek<Key>& first, const Seek<Key> (&seeks)[2]) {
    if (!seeks[1].shares_range(first)) return false;
    return seeks[1].rest - first.rest + seeks[0].rest < seeks[0].count;
  }

  TAILOPS_DEVICE void count(Control<C>& control, const Seek<Key> (&seeks)[2],
                            Search& shared) const {
    clear(shared);
    const bool share = seeks[1].shares_range(seeks[0]);
    Extent<Key> lower{0, 0}, upper{0, 0};
    for_each_own_candidate([&](Key key, bool valid) {
      count_one(seeks[0], key, valid, shared.bins[0]);
      if (valid && is_sought(seeks[0], key)) lower.add(key);
      if (share) return;
      count_one(seeks[1], key, valid, shared.bins[1]);
      if (valid && is_sought(seeks[1], key)) upper.add(key);
    });
    lower.add_to(&shared.extents[0]);
    upper.add_to(&shared.extents[1]);
    device::barrier();
    if (device::thread() < 2) {
      shared.extents[device::thread()].add_to(&control.extents[device::thread()]);
    }
    for (int b = device::thread(); b < 2 * kGridBins; b += device::threads()) {
      const unsigned of_block = (&shared.bins[0][0])[b];
      if (of_block != 0) device::atomic_add(&control.bins[0][0] + b, of_block);
    }
  }

  TAILOPS_DEVICE void find_in_bins(Control<C>& control, Search& shared) const {
    Seek<Key> seeks[2] = {control.seeks[0], control.seeks[1]};
    const bool share = seeks[1].shares_range(seeks[0]);
    TAILOPS_UNROLL
    for (int i = 0; i < 2; ++i) {
      if (seeks[i].found()) continue;
      const unsigned* const bins = control.bins[share ? 0 : i];
      for (int b = device::thread(); b < kGridBins; b += device::threads()) {
        shared.bin_search.counts[b] = device::load_fresh(bins + b);
      }
      // Many that are alike may be all there is.
      const Extent<Key>& extent = control.extents[share ? 0 : i];
      const Extent<Key> fresh{device::load_fresh(&extent.most),
                              device::load_fresh(&extent.most_complement)};
      seeks[i] =
          fresh.tightened(BinSearch::descend(seeks[i], digits_of(seeks[i]), shared.bin_search));
      device::barrier();
    }
    finish_among_candidates(control, seeks, shared);
  }

  // A bracket for the second pass.
  TAILOPS_DEVICE Bracket<C> better_bracket(const Control<C>& control, Next next, bool keeps_band,
                                           Shared& shared) const {
    if (next == Next::kAgain) {
      const C low = Bits::decode(control.seeks[0].first);
      const C high = Bits::decode(control.seeks[1].last);
      return {low, low, high, high};
    }
    const Sampled<T> sampled(grid, nullptr, 0, shared.sampled);
    const bool must_miss = grid.call.path == SelectionPath::kRadix;
    Bracket<C> wide = sampled.bracket(kMoreDeviations, must_miss);
    const Attempt<C>& missed = control.attempts[0];
    const uint64_t last =
        static_cast<uint64_t>(control.rank.lower) + (control.rank.weight == 0.0 ? 0 : 1);
    // What the first one held is held no more: there is room for as much again.
    if (last < missed.counts.below && missed.bracket.low > wide.low) {
      wide.high = missed.bracket.low;
    } else if (static_cast<uint64_t>(control.rank.lower) >=
                   missed.counts.below + missed.counts.at_low + missed.counts.between +
                       missed.counts.at_high &&
               missed.bracket.high < wide.high) {
      wide.low = missed.bracket.high;
    }
    wide.band_low = wide.low;
    wide.band_high = wide.high;
    const Bracket<C> better = keeps_band ? sampled.with_band_around(wide) : wide;
    device::barrier();  // the pass uses the same shared memory
    return better;
  }

  TAILOPS_DEVICE void find_again(Control<C>& control, const Bracket<C>& bracket, bool keeps_band,
                                 Search& shared) const {
    const Found<C> found(control.attempts[1], bracket);
    const uint64_t lower = static_cast<uint64_t>(control.rank.lower);
    const uint64_t upper = lower + (control.rank.weight == 0.0 ? 0 : 1);
    const bool holds = found.holds(lower) && found.holds(upper);
    if (device::thread() == 0) {
      control.attempts[1].bracket = bracket;
      control.attempts[1].keeps_band = keeps_band && holds ? 1u : 0u;
      control.used = 1;
    }
    if (holds) {
      Seek<Key> seeks[2] = {found.seek(lower), found.seek(upper)};
      if (!found.overflow || (seeks[0].found() && seeks[1].found())) {
        return finish_among_candidates(control, seeks, shared);
      }
    }
    const Key least = Bits::encode(grid.call.least_error);
    const Key most = Bits::encode(std::numeric_limits<C>::infinity());
    Seek<Key> seeks[2] = {{least, most, lower, found.counts.valid},
                          {least, most, upper, found.counts.valid}};
    find_alone(seeks, shared, [&](const auto& visit, const auto& fold) {
      const Elements<T> all = grid.elements();
      for (int64_t begin = 0; begin < all.length; begin += piece) {
        const int64_t length = all.length - begin < piece ? all.length - begin : piece;
        grid.for_each_input(all.part(begin, length), device::thread(), device::threads(),
                            [&](C error, bool valid) { visit(Bits::encode(error), valid); });
        fold();
      }
    });
    if (device::thread() == 0) write(control, seeks);
  }

  TAILOPS_DEVICE void finish_among_candidates(Control<C>& control, Seek<Key> (&seeks)[2],
                                              Search& shared) const {
    find_alone(seeks, shared, [&](const auto& visit, const auto& fold) {
      grid.for_each_candidate(device::warp(), device::warps(),
                              [&](C error, bool valid) { visit(Bits::encode(error), valid); });
      fold();
    });
    if (device::thread() == 0) write(control, seeks);
  }

  // By one block: digit after digit of what is not found yet. for_each(visit, fold) goes over all
  // there is, and calls fold before a count of 32 bits could overflow.
  template <typename ForEach>
  TAILOPS_DEVICE void find_alone(Seek<Key> (&seeks)[2], Search& shared,
                                 const ForEach& for_each) const {
    const Seek<Key> first = seeks[0];
    TAILOPS_UNROLL
    for (int i = 0; i < 2; ++i) {
      if (i == 1 && is_tied(first, seeks)) seeks[1] = seeks[0];
      while (!seeks[i].found()) {
        const Seek<Key> seek = seeks[i];
        clear(shared);
        for (int b = device::thread(); b < kGridBins; b += device::threads()) {
          shared.bin_search.counts[b] = 0;
        }
        for_each([&](Key key, bool valid) { count_one(seek, key, valid, shared.bins[0]); },
                 [&] { fold(shared); });
        seeks[i] = BinSearch::descend(seek, digits_of(seek), shared.bin_search);
      }
    }
  }

  static TAILOPS_DEVICE void fold(Search& shared) {
    device::barrier();
    for (int b = device::thread(); b < kGridBins; b += device::threads()) {
      shared.bin_search.counts[b] += shared.bins[0][b];
      shared.bins[0][b] = 0;
    }
    device::barrier();  // the next piece is counted in the same bins
  }

  static TAILOPS_DEVICE void clear(Search& shared) {
    for (int b = device::thread(); b < kGridBins; b += device::threads()) {
      shared.bins[0][b] = shared.bins[1][b] = 0;
    }
    if (device::thread() < 2) shared.extents[device::thread()] = {0, 0};
    device::barrier();
  }

  static TAILOPS_DEVICE Digits<Key> digits_of(const Seek<Key>& seek) {
    return Digits<Key>::over(seek.first, seek.last);
  }

  static TAILOPS_DEVICE void count_one(const Seek<Key>& seek, Key key, bool valid, unsigned* bins) {
    const bool active = valid && is_sought(seek, key);
    count_in_bins(bins, active, active ? digits_of(seek).bin(key) : 0u);
  }

  TAILOPS_DEVICE void write(const Control<C>& control, const Seek<Key> (&seeks)[2]) const {
    const uint64_t nans = control.attempts[0].counts.nans, valid = control.attempts[0].counts.valid;
    GroupState found = state_of_nothing();
    if (nans != 0) {
      const C nan = Bits::decode(Bits::kNaN);
      const Rank rank = grid.call.rank(static_cast<int64_t>(valid));
      found = state_of(nan, nan, 1, 1, rank, static_cast<double>(valid));
    } else if (valid != 0) {
      found = state_of(Bits::decode(seeks[0].first), Bits::decode(seeks[1].first),
                       static_cast<double>(seeks[0].count), static_cast<double>(seeks[1].count),
                       control.rank, static_cast<double>(valid));
    }
    state[grid.group()] = found;
  }
};

}  // namespace cuda
}  // namespace tailops
