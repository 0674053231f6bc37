#pragma once

// The search for an order statistic by digits: each tells which of some bins it is in.

#include "cuda/device/block.h"

namespace tailops {
namespace cuda {

constexpr int kGridThreads = 256;  // at most, of a block of many
constexpr int kLoneThreads = 512;  // and of one
constexpr int kGridDigitBits = 10;
constexpr int kGridBins = 1 << kGridDigitBits;

// Keys from `base` on, 2^shift of them to a bin; what is beyond belongs to the last.
template <typename Key>
struct Digits {
  Key base;
  int shift;

  // For bins of everything from first to last.
  static TAILOPS_DEVICE Digits over(Key first, Key last) {
    const int bits = device::bit_length(static_cast<Key>(last - first));
    return {first, bits > kGridDigitBits ? bits - kGridDigitBits : 0};
  }

  TAILOPS_DEVICE unsigned bin(Key key) const {
    const Key bin = (key - base) >> shift;
    return bin < kGridBins ? static_cast<unsigned>(bin) : kGridBins - 1u;
  }
};

// Where an order statistic is: one of the `count` keys from `first` to `last`, and `rest` of these
// are smaller. It is found where that is one key.
template <typename Key>
struct Seek {
  Key first;
  Key last;
  uint64_t rest;
  uint64_t count;

  TAILOPS_DEVICE bool found() const { return first == last; }
  TAILOPS_DEVICE bool holds(Key key) const { return first <= key && key <= last; }
  TAILOPS_DEVICE bool shares_range(const Seek& other) const {
    return first == other.first && last == other.last;
  }

  // With what its digit was found to be; one of the keys sought has it.
  TAILOPS_DEVICE Seek descended(const Digits<Key>& digits, int bin, uint64_t rest_in_bin,
                                uint64_t count_of_bin) const {
    const Key begin = digits.base + (static_cast<Key>(bin) << digits.shift);
    const Key beyond_begin = (Key(1) << digits.shift) - 1;
    // Not begin + beyond_begin > last: the sum may be beyond the largest key, and be a small one.
    const bool is_open = bin == kGridBins - 1 || beyond_begin > last - begin;
    return {begin > first ? begin : first, is_open ? last : begin + beyond_begin, rest_in_bin,
            count_of_bin};
  }
};

// The smallest and the largest of some keys, or of none: all zero.
template <typename Key>
struct Extent {
  Key most;
  Key most_complement;  // of the smallest

  TAILOPS_DEVICE void add(Key key) {
    most = key > most ? key : most;
    const Key complement = static_cast<Key>(~key);
    most_complement = complement > most_complement ? complement : most_complement;
  }
  // By many threads.
  TAILOPS_DEVICE void add_to(Extent* all) const {
    if (most == 0 && most_complement == 0) return;
    device::atomic_max(&all->most, most);
    device::atomic_max(&all->most_complement, most_complement);
  }
  TAILOPS_DEVICE Seek<Key> tightened(const Seek<Key>& seek) const {
    const Key least = static_cast<Key>(~most_complement);
    return {least > seek.first ? least : seek.first, most < seek.last ? most : seek.last, seek.rest,
            seek.count};
  }
};

// By a block: a search goes down one digit with the counts of the bins.
class BinSearch {
 public:
  struct Shared {
    uint64_t counts[kGridBins];
    alignas(16) uint64_t sums[kLoneThreads];
    uint64_t rest;
    int bin;
  };

  template <typename Key>
  static TAILOPS_DEVICE Seek<Key> descend(const Seek<Key>& seek, const Digits<Key>& digits,
                                          Shared& shared) {
    device::barrier();
    const int share = kGridBins / device::threads();
    uint64_t sum = 0;
    for (int i = 0; i < share; ++i) sum += shared.counts[device::thread() * share + i];
    shared.sums[device::thread()] = sum;
    device::barrier();
    if (device::warp() == 0) {
      int chunk;
      uint64_t rest;
      if (find_rank(shared.sums, device::threads(), seek.rest, chunk, rest)) {
        int bin = chunk * share;
        while (rest >= shared.counts[bin]) rest -= shared.counts[bin++];
        shared.bin = bin;
        shared.rest = rest;
      }
    }
    device::barrier();
    const int bin = shared.bin;
    return seek.descended(digits, bin, shared.rest, shared.counts[bin]);
  }
};

}  // namespace cuda
}  // namespace tailops
