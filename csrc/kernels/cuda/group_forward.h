#pragma once

// The forward pass of a group by one block: selection, state, and the loss, in one launch for any
// number of groups. The errors are kept in shared memory as keys; what does not fit is computed
// again from the inputs whenever it is needed.

#include "block_select.h"
#include "rows.h"
#include "vectors.h"

namespace tailops {
namespace cuda {

// The state of a group from its order statistics.
template <typename C>
TAILOPS_DEVICE GroupState state_of(C lower, C upper, uint64_t lower_count, uint64_t upper_count,
                                   const Rank& rank, double valid) {
  return {static_cast<double>(interpolate(lower, upper, rank)),
          static_cast<double>(lower),
          static_cast<double>(upper),
          rank.scale * (1.0 - rank.weight) / static_cast<double>(lower_count),
          rank.scale * rank.weight / static_cast<double>(upper_count),
          0.0,
          valid};
}

// Of a group of which all is ignored.
TAILOPS_DEVICE GroupState state_of_nothing() { return {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}; }

template <typename T>
struct GroupForward {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using Select = BlockSelect<Key>;

  static constexpr int kMostThreads = 512;
  static constexpr int kLeastBlocks = 1;

  // What reading the group once tells.
  struct Read {
    double squares;
    Key least;
    Key most;
    unsigned valid;
    unsigned nans;

    TAILOPS_DEVICE void operator+=(const Read& other) {
      squares += other.squares;
      least = other.least < least ? other.least : least;
      most = other.most > most ? other.most : most;
      valid += other.valid;
      nans += other.nans;
    }
  };

  struct Totals {
    double weighted;
    double slopes;

    TAILOPS_DEVICE void operator+=(const Totals& other) {
      weighted += other.weighted;
      slopes += other.slopes;
    }
  };

  struct Shared {
    typename Select::Shared select;
    Read reads[kMostWarps];
    Totals totals[kMostWarps];
  };

  Call<T> call;
  GroupState* state;
  T* loss;               // of the rows that lie in one group, or the only group's; or none
  double* group_losses;  // or none
  int64_t groups;
  int64_t cached;  // keys that there is shared memory for

  TAILOPS_DEVICE void run(Shared& shared, unsigned char* dynamic) const {
    for (int64_t g = device::block(); g < groups; g += device::blocks()) {
      one_group(g, shared, reinterpret_cast<Key*>(dynamic));
    }
  }

  TAILOPS_DEVICE void one_group(int64_t g, Shared& shared, Key* keys) const {
    const Elements<T> elements = call.group(g);
    const Read all = block_reduce(read(elements, keys), shared.reads, Add());
    // The barriers of the reduction are those that the keys need, too.
    const auto key_at = [&](int64_t k) { return k < cached ? keys[k] : key_of(elements, k); };
    GroupState found = select(KeysAt(key_at, call.length), all, shared);
    const Tail<C> tail = tail_of(found, call.weights);
    if (call.to_scalar) {
      Totals sums{0.0, 0.0};
      for (int64_t k = device::thread(); k < call.length; k += device::threads()) {
        const Key key = key_at(k);
        if (key == kNoKey<Key>) continue;
        add_element(Bits::decode(key), tail, call.weights, sums.weighted, sums.slopes);
      }
      sums = block_reduce(sums, shared.totals, Add());
      const double scale = call.scale_in_group(found.valid);
      found.threshold_gradient = scale * sums.slopes;
      if (device::thread() == 0) {
        const double group_loss = loss_of(sums.weighted, all.squares, call.weights);
        if (group_losses != nullptr) group_losses[g] = group_loss;
        if (loss != nullptr) *loss = narrow<T>(group_loss * scale);
      }
    } else if (loss != nullptr) {
      write_rows(g, tail);
    }
    if (device::thread() == 0) state[g] = found;
    device::barrier();  // the keys are free again
  }

 private:
  TAILOPS_DEVICE Key key_of(const Elements<T>& elements, int64_t k) const {
    C d;
    if (!elements.load(k, d)) return kNoKey<Key>;
    return Bits::encode(error_of(call.error_kind, call.weights.epsilon, d));
  }

  TAILOPS_DEVICE Read read(const Elements<T>& elements, Key* keys) const {
    using B = Batch<Elements<T>>;
    Read own{0.0, ~Key(0), 0, 0, 0};
    Vectors(elements).for_each(device::thread(), device::threads(), [&](const B& batch) {
      C errors[B::kSize];
      errors_of(call.error_kind, call.weights.epsilon, batch.values, errors);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        const bool valid = batch.valid >> j & 1u;
        const Key key = valid ? Bits::encode(errors[j]) : kNoKey<Key>;
        const int64_t k = batch.first[j / B::kLanes] + j % B::kLanes;
        if ((batch.inside >> j & 1u) && k < cached) keys[k] = key;
        if (!valid) continue;
        const C d = batch.values[j];
        own += Read{call.weights.beta == C(0) ? 0.0 : static_cast<double>(d * d), key, key, 1u,
                    key == Bits::kNaN ? 1u : 0u};
      }
    });
    return own;
  }

  template <typename Keys>
  TAILOPS_DEVICE GroupState select(const Keys& keys, const Read& all, Shared& shared) const {
    if (all.valid == 0) return state_of_nothing();
    const double valid = static_cast<double>(all.valid);
    const Rank rank = call.rank(static_cast<int64_t>(all.valid));
    if (all.nans != 0) {
      const C nan = Bits::decode(Bits::kNaN);
      return state_of(nan, nan, 1, 1, rank, valid);
    }
    const unsigned place = static_cast<unsigned>(rank.lower);
    const Chosen<Key> lower =
        Select::select(keys, all.valid, place, all.least, all.most, shared.select);
    Chosen<Key> upper = lower;
    if (rank.weight != 0.0 && place + 1 >= lower.below + lower.ties) {
      upper = Select::next_above(keys, lower.key, shared.select);
    }
    return state_of(Bits::decode(lower.key), Bits::decode(upper.key), lower.ties, upper.ties, rank,
                    valid);
  }

  // Rows lie within the group.
  TAILOPS_DEVICE void write_rows(int64_t g, const Tail<C>& tail) const {
    const int64_t rows = call.length / call.row_length;
    add_rows(
        call.row_length, g * rows, (g + 1) * rows, device::thread(), device::threads(),
        [&](int64_t flat, RowSum& sum) { add_loss(call, flat, tail, sum); },
        [&](int64_t row, const RowSum& sum) { write_loss(call, row, sum, loss); });
  }
};

}  // namespace cuda
}  // namespace tailops
