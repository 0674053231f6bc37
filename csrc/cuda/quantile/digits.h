#pragma once

// Selection as a task of CountDigits: the elements that some q need are found together.

#include "cuda/quantile/call.h"
#include "cuda/select/digits.h"

namespace tailops {
namespace cuda {

template <typename T>
struct SelectionDigits : SelectionCall<T> {
  using Call = SelectionCall<T>;
  using typename Call::Key;
  using B = Batch<typename Call::Elements>;

  struct Control {
    uint64_t nans;
  };

  struct Tally {
    unsigned nans = 0;

    explicit TAILOPS_DEVICE Tally(const Control&) {}

    TAILOPS_DEVICE void add(const B& batch, const Key (&keys)[B::kSize], unsigned, bool, bool) {
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        nans += (batch.inside >> j & 1u) && Call::is_nan(keys[j]) ? 1u : 0u;
      }
    }
  };

  struct Room {
    unsigned nans[kMostWarps];
  };

  int64_t first_q;  // of those that are looked for
  int q_at_once;
  int targets_of_q;  // 1 or 2

  TAILOPS_DEVICE void leave(const Tally& tally, bool is_first, bool, Control& control,
                            Room& room) const {
    if (!is_first || Call::kIsInteger) return;
    const unsigned nans = block_reduce(tally.nans, room.nans, Add());
    if (device::thread() == 0) device::atomic_add(&control.nans, nans);
  }

  TAILOPS_DEVICE int64_t selectable(const Control& control) const {
    return Call::selectable(static_cast<int64_t>(device::load_fresh(&control.nans)));
  }

  TAILOPS_DEVICE int targets() const { return q_at_once * targets_of_q; }

  TAILOPS_DEVICE bool has_targets(int64_t n, const Control&) const { return n != 0; }

  TAILOPS_DEVICE void write_nothing(int64_t g, int64_t) const {
    if (device::thread() < q_at_once) this->write_nan(g, first_q + device::thread());
  }

  TAILOPS_DEVICE int64_t rank(int t, int64_t n) const {
    const int64_t i = first_q + t / targets_of_q;
    if (!this->has_value(i)) return 0;
    const Rank rank = Call::rank(i, n);
    const bool is_upper = t % targets_of_q != 0 && rank.weight != 0.0;
    return rank.lower + (is_upper ? 1 : 0);
  }

  TAILOPS_DEVICE void prepare(int64_t, const FoundTargets<Key>&, Control&) const {}

  TAILOPS_DEVICE void write(int64_t g, int64_t n, const FoundTargets<Key>& found,
                            const DigitCounts<Key>&, Room&) const {
    for (int k = device::thread(); k < q_at_once; k += device::threads()) {
      const int64_t i = first_q + k;
      if (!this->has_value(i)) {
        this->write_nan(g, i);
        continue;
      }
      const int lower = k * targets_of_q, upper = lower + targets_of_q - 1;
      Call::write(g, i, n,
                  {found.base[lower], found.base[upper], found.ties[lower], found.ties[upper]});
    }
  }
};

}  // namespace cuda
}  // namespace tailops
