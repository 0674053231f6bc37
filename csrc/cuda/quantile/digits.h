#pragma once

// Selection as a task of CountDigits: the elements that some q need are found together.

#include "cuda/quantile/call.h"
#include "cuda/select/digits.h"

namespace tailops {
namespace cuda {

// Counting: of copies.h.
template <typename T, typename Counting>
struct SelectionDigits : SelectionCall<T>, Counting {
  using Call = SelectionCall<T>;
  using typename Call::Key;
  using B = Batch<typename Call::Elements>;
  using Counting::kWeighs;
  using typename Counting::Copies;

  struct Control : Counting::Control {
    uint64_t nans;
  };

  struct Tally {
    unsigned nans = 0;

    explicit TAILOPS_DEVICE Tally(const Control&) {}

    TAILOPS_DEVICE void add(const B& batch, const Key (&keys)[B::kSize], const Copies&, unsigned,
                            bool, bool) {
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
    if constexpr (kWeighs) return static_cast<int64_t>(device::load_fresh(&control.total));
    return elements(control);
  }

  TAILOPS_DEVICE int targets() const { return q_at_once * targets_of_q; }

  // Integers have no NaN to tell of weights that are none.
  TAILOPS_DEVICE bool has_targets(int64_t n, const Control& control) const {
    if constexpr (kWeighs && !Call::kIsInteger) {
      return n != 0 && elements(control) != 0 && control.has_weights();
    }
    return n != 0;
  }

  TAILOPS_DEVICE void write_nothing(int64_t g, int64_t, const Control& control) const {
    if (device::thread() >= q_at_once) return;
    const int64_t i = first_q + device::thread();
    if (kWeighs && elements(control) != 0) {
      this->write_nan(g, i, Call::kNaN);
    } else {
      this->write_nan(g, i);
    }
  }

  TAILOPS_DEVICE int64_t rank(int t, int64_t n) const {
    const int64_t i = first_q + t / targets_of_q;
    if (!this->has_value(i)) return 0;
    const Rank rank = rank_of(i, n);
    const bool is_upper = t % targets_of_q != 0 && rank.weight != 0.0;
    return rank.lower + (is_upper ? 1 : 0);
  }

  TAILOPS_DEVICE void prepare(int64_t, const FoundTargets<Key>&, Control&) const {}

  TAILOPS_DEVICE void write(int64_t g, int64_t n, const FoundTargets<Key>& found,
                            const DigitCounts<Key>&, const Control& control, Room&) const {
    const Copies copies = this->copies(*this, g, control);
    const auto ties = [&](int t) {
      if constexpr (kWeighs) return copies.weight(found.ties[t]);
      return static_cast<double>(found.ties[t]);
    };
    for (int k = device::thread(); k < q_at_once; k += device::threads()) {
      const int64_t i = first_q + k;
      if (!this->has_value(i)) {
        this->write_nan(g, i);
        continue;
      }
      const int lower = k * targets_of_q, upper = lower + targets_of_q - 1;
      Call::write(g, i, rank_of(i, n),
                  {found.base[lower], found.base[upper], ties(lower), ties(upper)});
    }
  }

 private:
  TAILOPS_DEVICE int64_t elements(const Control& control) const {
    return Call::selectable(static_cast<int64_t>(device::load_fresh(&control.nans)));
  }

  TAILOPS_DEVICE Rank rank_of(int64_t i, int64_t n) const {
    if constexpr (kWeighs) return weighted_rank(this->method, this->q[i], n);
    return Call::rank(i, n);
  }
};

}  // namespace cuda
}  // namespace tailops
