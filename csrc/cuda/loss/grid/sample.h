#pragma once

// draw and bracket: where the threshold must be, as far as a sample tells.

#include "call/sample_plan.h"
#include "cuda/loss/grid/grid.h"

namespace tailops {
namespace cuda {

// The keys of some elements of the group, drawn by these workers.
template <typename T>
TAILOPS_DEVICE void draw_sample(const GridCall<T>& grid, int64_t worker, int64_t workers) {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  const Elements<T> elements = grid.elements();
  const int64_t size = grid.workspace.sample;
  typename Bits::Key* const sample = grid.sample();
  for (int64_t i = worker; i < size; i += workers) {
    C d;
    const bool valid = elements.load(SelectionPlan::stratified(i, size, elements.length), d);
    sample[i] = valid ? Bits::encode(error_of(grid.call.error_kind, grid.call.epsilon, d))
                      : kNoKey<typename Bits::Key>;
  }
}

// By a block, of a sample that is drawn.
template <typename T>
class Sampled {
 public:
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using Select = BlockSelect<Key>;

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

  static constexpr unsigned kListed = 1024;

  struct Shared {
    typename Select::Shared select;
    Counts counts[kMostWarps];
    BinSearch::Shared search;
    unsigned bins[kGridBins];
    Key list[kListed];
    unsigned listed;
  };

  // The keys are those of the call, the first so many of them also in `cache`, or none.
  TAILOPS_DEVICE Sampled(const GridCall<T>& grid, const Key* cache, int64_t cached, Shared& shared)
      : grid_(grid), cache_(cache), cached_(cached), shared_(shared) {
    Counts own{~Key(0), 0, 0, 0};
    for_each([&](Key key, bool valid) {
      if (valid) own += Counts{key, key, 1u, 0u};
    });
    all_ = block_reduce(own, shared.counts, Add());
  }

  // What the order statistics are between, unless the sample is so many deviations off. Where the
  // bracket is forced to miss it lies above all of the sample.
  TAILOPS_DEVICE Bracket<C> bracket(double deviations, bool must_miss) const {
    if (must_miss) return around(above_all());
    const C least = grid_.call.least_error;
    if (all_.valid == 0) return {least, least, infinity(), infinity()};
    const SelectionPlan plan(rank(), likely_count());
    const int64_t valid = static_cast<int64_t>(all_.valid);
    const double low_place = plan.lower_place(valid, deviations);
    const double high_place = plan.upper_place(valid, deviations);
    C low = least, high = infinity();
    Seek<Key> seeks[] = {sought(low_place), sought(high_place)};
    find(seeks);
    if (low_place >= 0.0) low = error_of_key(seeks[0].first);
    if (high_place < static_cast<double>(valid)) high = error_of_key(seeks[1].first);
    return {low, low, high, high};
  }

  TAILOPS_DEVICE Bracket<C> with_band_around(const Bracket<C>& bracket) const {
    return with_band(bracket.low, bracket.high, rank().factor, grid_.call.parameters);
  }

  // Whether what lies in the band can be kept. Where one warp had no room left, all that is near
  // would have to be read again.
  TAILOPS_DEVICE bool few_are_near(const Bracket<C>& bracket) const {
    Counts near{~Key(0), 0, 0, 0};
    for_each([&](Key key, bool valid) {
      if (!valid) return;
      const C e = Bits::decode(key);
      const bool is_kept =
          e >= bracket.band_low && e <= bracket.band_high && e != bracket.low && e != bracket.high;
      near.near += is_kept ? 1u : 0u;
    });
    near = block_reduce(near, shared_.counts, Add());
    return static_cast<double>(near.near) <=
           grid_.workspace.fitting * static_cast<double>(grid_.workspace.sample);
  }

  // As fine as possible where the sample says that there are any.
  TAILOPS_DEVICE Digits<Key> digits(const Bracket<C>& bracket) const {
    const Key low = Bits::encode(bracket.low), high = Bits::encode(bracket.high);
    const Key top = all_.valid == 0 || all_.most > high ? high : all_.most;
    return Digits<Key>::over(low, top > low ? top : low);
  }

 private:
  static TAILOPS_DEVICE C infinity() { return std::numeric_limits<C>::infinity(); }
  static TAILOPS_DEVICE Bracket<C> around(C place) { return {place, place, place, place}; }

  TAILOPS_DEVICE Key key_of_sample(int64_t i) const {
    return i < cached_ ? cache_[i] : grid_.sample()[i];
  }

  template <typename Body>
  TAILOPS_DEVICE void for_each(const Body& body) const {
    const auto key_at = [&](int64_t i) { return key_of_sample(i); };
    KeysAt(key_at, grid_.workspace.sample).for_each(body);
  }

  // The rank among as many elements as seem to count.
  TAILOPS_DEVICE int64_t likely_count() const {
    const double share =
        static_cast<double>(all_.valid) / static_cast<double>(grid_.workspace.sample);
    const int64_t count = static_cast<int64_t>(share * static_cast<double>(grid_.call.length));
    return count < 1 ? 1 : count;
  }

  TAILOPS_DEVICE Rank rank() const { return grid_.call.rank(likely_count()); }

  TAILOPS_DEVICE C above_all() const {
    const C most = Bits::decode(all_.most), above = most + std::fabs(most) + C(1);
    const bool is_above = all_.valid != 0 && above == above;
    return is_above && grid_.call.path != SelectionPath::kRadix ? above : infinity();
  }

  static TAILOPS_DEVICE C error_of_key(Key key) {
    return key == Bits::kNaN ? infinity() : Bits::decode(key);
  }

  // Of a place in the sorted sample, or the end that is nearest.
  TAILOPS_DEVICE Seek<Key> sought(double place) const {
    const double last = static_cast<double>(all_.valid) - 1.0;
    const double inside = place < 0.0 ? 0.0 : (place > last ? last : place);
    return {all_.least, all_.most, static_cast<uint64_t>(inside), all_.valid};
  }

  // Both at once: their bins, then the few that are in them.
  TAILOPS_DEVICE void find(Seek<Key> (&seeks)[2]) const {
    if (seeks[0].found()) return;
    const Digits<Key> digits = Digits<Key>::over(all_.least, all_.most);
    for (int b = device::thread(); b < kGridBins; b += device::threads()) shared_.bins[b] = 0;
    if (device::thread() == 0) shared_.listed = 0;
    device::barrier();
    for_each([&](Key key, bool valid) {
      count_in_bins(shared_.bins, valid, valid ? digits.bin(key) : 0u);
    });
    device::barrier();
    for (int b = device::thread(); b < kGridBins; b += device::threads()) {
      shared_.search.counts[b] = shared_.bins[b];
    }
    TAILOPS_UNROLL
    for (int i = 0; i < 2; ++i) seeks[i] = BinSearch::descend(seeks[i], digits, shared_.search);
    const Seek<Key> low = seeks[0], high = seeks[1];
    for_each([&](Key key, bool valid) {
      if (!valid || !(low.holds(key) || high.holds(key))) return;
      const unsigned at = device::atomic_add(&shared_.listed, 1u);
      if (at < kListed) shared_.list[at] = key;
    });
    device::barrier();
    const bool fits = shared_.listed <= kListed;
    TAILOPS_UNROLL
    for (int i = 0; i < 2; ++i) {
      const Seek<Key> seek = seeks[i];
      if (seek.found()) continue;
      const auto key_at = [&](int64_t k) {
        const Key key = fits ? shared_.list[k] : key_of_sample(k);
        return seek.holds(key) ? key : kNoKey<Key>;
      };
      const Chosen<Key> chosen =
          Select::select(KeysAt(key_at, fits ? shared_.listed : grid_.workspace.sample),
                         static_cast<unsigned>(seek.count), static_cast<unsigned>(seek.rest),
                         seek.first, seek.last, shared_.select);
      seeks[i] = {chosen.key, chosen.key, 0, chosen.ties};
    }
  }

  const GridCall<T>& grid_;
  const Key* cache_;
  int64_t cached_;
  Shared& shared_;
  Counts all_;
};

template <typename T>
struct Draw {
  static constexpr int kMostThreads = kGridThreads;
  static constexpr int kLeastBlocks = 4;
  struct Shared {};

  GridCall<T> grid;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    draw_sample(grid, grid.worker(), grid.workers());
  }
};

template <typename T>
struct FindBracket {
  using C = ComputeType<T>;
  using Key = typename OrderedBits<C>::Key;

  static constexpr int kMostThreads = kLoneThreads;
  static constexpr int kLeastBlocks = 1;
  using Shared = typename Sampled<T>::Shared;

  GridCall<T> grid;
  bool draws;
  int64_t cached;  // keys that there is shared memory for

  TAILOPS_DEVICE void run(Shared& shared, unsigned char* dynamic) const {
    clear();
    if (draws) draw_sample(grid, device::thread(), device::threads());
    Key* const keys = reinterpret_cast<Key*>(dynamic);
    const Key* const sample = grid.sample();
    // By the thread that has drawn it, and that looks at it later: there is nothing to wait for.
    for (int64_t i = device::thread(); i < cached; i += device::threads()) keys[i] = sample[i];
    const Sampled<T> sampled(grid, keys, cached, shared);
    const SelectionPath path = grid.call.path;
    Bracket<C> bracket =
        sampled.bracket(kDeviations, path == SelectionPath::kMiss || path == SelectionPath::kRadix);
    const Bracket<C> banded = sampled.with_band_around(bracket);
    const bool keeps_band = grid.with_sums && sampled.few_are_near(banded);
    const Digits<Key> digits = sampled.digits(bracket);
    if (keeps_band) bracket = banded;
    if (device::thread() == 0) {
      Control<C>& control = grid.control();
      control.attempts[0].bracket = bracket;
      control.attempts[0].keeps_band = keeps_band ? 1u : 0u;
      control.digits = digits;
    }
  }

 private:
  TAILOPS_DEVICE void clear() const {
    static_assert(sizeof(Control<C>) % sizeof(unsigned) == 0, "cleared in words");
    unsigned* const words = reinterpret_cast<unsigned*>(&grid.control());
    constexpr int kWords = sizeof(Control<C>) / sizeof(unsigned);
    for (int i = device::thread(); i < kWords; i += device::threads()) words[i] = 0;
  }
};

}  // namespace cuda
}  // namespace tailops
