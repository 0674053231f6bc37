#pragma once

// The forward pass of a group by one team: selection, state, and the loss, in one launch for any
// number of groups.

#include "cuda/loss/group_keys.h"
#include "cuda/loss/group_top.h"
#include "cuda/loss/rows.h"

namespace tailops {
namespace cuda {

// Of a group of which all is ignored.
TAILOPS_DEVICE GroupState state_of_nothing() { return {}; }

template <typename T, typename Team, typename Outputs>
struct GroupForward {
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;
  using Keys = GroupKeys<T, Team>;
  using B = typename Keys::B;
  using Select = TeamSelect<Team, Key>;

  static constexpr int kMostThreads = Team::kMostThreads;
  static constexpr int kFewestLanes = kMostThreads / Team::kMostTeams;
  // As many as do not spill: with short groups, it is other warps that hide what one waits for.
  static constexpr int kOfFew = sizeof(T) == 8 ? 4 : sizeof(T) == 4 ? 7 : 5;
  static constexpr int kLeastBlocks = Team::kIsBlock ? 1 : kOfFew;

  // What reading the group once tells.
  struct Read {
    Key least_less_one;  // so that kNoKey is the largest
    Key most;
    unsigned valid;

    TAILOPS_DEVICE void add(Key key) {
      const Key less_one = key - 1;
      least_less_one = less_one < least_less_one ? less_one : least_less_one;
      most = key > most ? key : most;
    }
    TAILOPS_DEVICE void operator+=(const Read& other) {
      least_less_one =
          other.least_less_one < least_less_one ? other.least_less_one : least_less_one;
      most = other.most > most ? other.most : most;
      valid += other.valid;
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

  using Top = GroupTop<T, Team>;

  struct OfTeam {
    typename Select::Shared select;
    typename Top::Shared top;
    typename Team::template Room<Read> read;
    typename Team::template Room<double> squares;
    typename Team::template Room<Totals> totals;
  };
  struct Shared {
    OfTeam of_team[Team::kMostTeams];
    double losses[Team::kMostTeams];
  };

  Call<T> call;
  GroupState* state;
  T* loss;               // of the rows that lie in one group, or the only group's; or none
  double* block_losses;  // or none
  int64_t groups;
  int64_t room;  // for so many keys of each team there is shared memory
  int width;     // of a team, where the launch says

  TAILOPS_DEVICE void run(Shared& shared, unsigned char* dynamic) const {
    const Team team(width);
    OfTeam& own = shared.of_team[team.number()];
    Key* const kept = reinterpret_cast<Key*>(dynamic) + team.number() * room;
    double& losses = shared.losses[team.number()];
    if (team.thread() == 0) losses = 0.0;
    for_each_group(team, groups, [&](int64_t g) { one_group(team, g, own, losses, kept); });
    write_losses(shared.losses, team.teams());
  }

  // Of the block, which are the sum of its teams'.
  TAILOPS_DEVICE void write_losses(const double* losses, int teams) const {
    if (block_losses == nullptr) return;
    device::barrier();
    if (device::thread() != 0) return;
    double total = 0.0;
    for (int t = 0; t < teams; ++t) total += losses[t];
    block_losses[device::block()] = total;
  }

  // With what each thread knows of its share of the group; `losses` are the team's first thread's.
  TAILOPS_DEVICE void finish(const Team& team, int64_t g, const Keys& keys, const Read& own,
                             double squares, OfTeam& shared, double& losses) const {
    const Read all = team.reduce(own, shared.read, Add());
    Top top(team);
    const GroupState found = select(team, keys, all, own.most, top, shared);
    if (team.thread() == 0) state[g] = found;
    const Tail<C> tail = tail_of(found, call.parameters);
    if constexpr (Outputs::kOne) {
      Totals sums{0.0, 0.0};
      if (top.is_known()) {
        top.add(tail, call.parameters, sums.weighted, sums.slopes);
      } else {
        add(keys, tail, sums);
      }
      sums = team.reduce(sums, shared.totals, Add());
      if (call.parameters.beta != C(0)) squares = team.reduce(squares, shared.squares, Add());
      if (team.thread() == 0) {
        const double factor = call.mean_factor_in_group(static_cast<double>(all.valid));
        const double group_loss = loss_of(sums.weighted, squares, call.parameters);
        state[g].threshold_gradient = sums.slopes;
        losses += group_loss;
        if (loss != nullptr) *loss = narrow<T>(group_loss * factor);
      }
    } else if (loss != nullptr) {
      write_rows(team, g, tail);
    }
  }

 private:
  TAILOPS_DEVICE void one_group(const Team& team, int64_t g, OfTeam& shared, double& losses,
                                Key* kept) const {
    const Keys keys(call, g, team, kept, room);
    double squares = 0.0;
    const Read own = read(keys, squares);
    finish(team, g, keys, own, squares, shared, losses);
  }

  // Sums of a batch are in the compute type, which is faster; those of batches are not.
  TAILOPS_DEVICE Read read(const Keys& keys, double& squares) const {
    Read own{~Key(0), 0, 0};
    keys.read([&](const B& batch, const Key(&of_batch)[B::kSize]) {
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) own.add(of_batch[j]);
      own.valid += static_cast<unsigned>(device::count_bits(batch.valid));
      if (call.parameters.beta == C(0)) return;
      C of_these = C(0);
      TAILOPS_UNROLL
      for (int j = 0; j < B::kSize; ++j) {
        if (batch.valid >> j & 1u) of_these += batch.values[j] * batch.values[j];
      }
      squares += static_cast<double>(of_these);
    });
    return own;
  }

  // This thread's share of the sums.
  TAILOPS_DEVICE void add(const Keys& keys, const Tail<C>& tail, Totals& sums) const {
    const LossParameters<C>& w = call.parameters;
    keys.scan(
        [&](const Key(&of_batch)[B::kSize]) {
          unsigned near = 0;
          C far = C(0);
          TAILOPS_UNROLL
          for (int j = 0; j < B::kSize; ++j) {
            if (of_batch[j] == kNoKey<Key>) continue;
            const C e = Bits::decode(of_batch[j]);
            if (is_near(e, tail)) {
              near |= 1u << j;
            } else {
              far += formulas_of(w).far_weighted(e, e > tail.band_high);
            }
          }
          sums.weighted += static_cast<double>(far);
          return near;
        },
        [&](Key key) { add_element(Bits::decode(key), tail, w, sums.weighted, sums.slopes); });
  }

  TAILOPS_DEVICE GroupState select(const Team& team, const Keys& keys, const Read& all,
                                   Key most_of_thread, Top& top, OfTeam& shared) const {
    if (all.valid == 0) return state_of_nothing();
    const double valid = static_cast<double>(all.valid);
    const Rank rank = call.rank(static_cast<int64_t>(all.valid));
    if (all.most > Bits::encode(std::numeric_limits<C>::infinity())) {
      const C nan = std::numeric_limits<C>::quiet_NaN();
      return state_of(nan, nan, 1, 1, rank, valid);
    }
    const unsigned place = static_cast<unsigned>(rank.lower);
    const Key least = all.least_less_one + 1;
    Chosen<Key> lower, upper;
    top.look(keys, most_of_thread, all.most, all.valid, rank, call.parameters, bool{Outputs::kOne},
             shared.top);
    if (top.is_known()) {
      lower = top.lower();
      upper = rank.weight != 0.0 ? top.upper() : lower;
    } else {
      lower = Select::select(keys, all.valid, place, least, all.most, shared.select, team);
      upper = lower;
      if (rank.weight != 0.0 && place + 1 >= lower.below + lower.ties) {
        upper = Select::next_above(keys, lower.key, shared.select, team);
      }
    }
    return state_of(Bits::decode(lower.key), Bits::decode(upper.key),
                    static_cast<double>(lower.ties), static_cast<double>(upper.ties), rank, valid);
  }

  // Rows lie within the group.
  TAILOPS_DEVICE void write_rows(const Team& team, int64_t g, const Tail<C>& tail) const {
    const int64_t rows = call.length / call.row_length;
    add_rows(
        call.row_length, g * rows, (g + 1) * rows, team.thread(), team.threads(),
        [&](int64_t flat, RowSum& sum) { add_loss(call, flat, tail, sum); },
        [&](int64_t row, const RowSum& sum) { write_loss(call, row, sum, loss); });
  }
};

}  // namespace cuda
}  // namespace tailops
