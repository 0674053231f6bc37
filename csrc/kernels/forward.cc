#include <vector>

#include "band.h"
#include "block_sum.h"
#include "problem.h"
#include "select.h"
#include "subnormals.h"
#include "tail_columns.h"
#include "tail_loss.h"

namespace tailops {
namespace {

template <typename T>
class Forward {
 public:
  using C = ComputeType<T>;

  Forward(const Problem<T>& problem, GroupState* state, Executor& executor)
      : problem_(problem), geometry_(problem.geometry), state_(state), executor_(executor) {}

  void run(T* loss) const {
    if (geometry_.reduces_to_scalar()) {
      reduce_to_scalar(loss);
    } else {
      for_each_group(problem_, executor_, [&](int64_t g, const Group<T>& group, Executor& inside) {
        state_[g] = state_of(selector(group, inside).select(false));
      });
      reduce_rows(loss);
    }
  }

 private:
  using Selected = typename Selector<T>::Result;

  Selector<T> selector(const Group<T>& group, Executor& inside) const {
    return {group, problem_.options, problem_.loops, problem_.weights, inside};
  }

  GroupState state_of(const Selected& found) const {
    const Rank rank = rank_of(problem_.options, geometry_.length);
    const OrderStatistics<C>& s = found.statistics;
    return {found.threshold,
            s.lower,
            s.upper,
            rank.scale * (1.0 - rank.weight) / static_cast<double>(s.lower_count),
            rank.scale * rank.weight / static_cast<double>(s.upper_count),
            0.0};
  }

  Sums sum_group(const Group<T>& group, const Tail<C>& tail, Executor& inside) const {
    const auto sum_of = [&](int64_t begin, int64_t end) {
      Sums sums;
      group.for_each_piece(begin, end, [&](const Piece<T>& piece, int64_t) {
        problem_.loops.sum(piece.y_true, piece.y_pred, piece.length, problem_.weights, tail, sums);
      });
      return sums;
    };
    return block_sum<Sums>(group.length, sum_of, inside);
  }

  // Σ L of a group. Where β is 0 the squares are not: they may be infinite.
  double mixed(const Sums& sums) const {
    const double beta = problem_.weights.beta;
    return beta == 0.0 ? sums.weighted : beta * sums.squares + (1.0 - beta) * sums.weighted;
  }

  // One output: threshold and sums of a group together.
  void reduce_to_scalar(T* loss) const {
    std::vector<double> losses(static_cast<size_t>(geometry_.groups()));
    for_each_group(problem_, executor_, [&](int64_t g, const Group<T>& group, Executor& inside) {
      const Selected found = selector(group, inside).select(true);
      const OrderStatistics<C>& s = found.statistics;
      const Sums sums =
          found.sums
              ? *found.sums
              : sum_group(group, tail_of(found.threshold, s.lower, s.upper, problem_.weights),
                          inside);
      losses[static_cast<size_t>(g)] = mixed(sums);
      state_[g] = state_of(found);
      state_[g].threshold_gradient = geometry_.row_scale * sums.threshold_gradient;
    });
    double total = 0.0;
    for (const double group_loss : losses) total += group_loss;
    *loss = narrow<T>(total * geometry_.row_scale);
  }

  void reduce_rows(T* loss) const {
    const TailColumns<C> columns = columns_of(state_, geometry_, problem_.weights);
    const int64_t length = geometry_.row_length;
    const int64_t rows_at_once = std::max<int64_t>(1, kBlockLength / length);
    const int64_t parts = (geometry_.rows() + rows_at_once - 1) / rows_at_once;
    parallel_for(executor_, parts, rows_at_once * length, [&](int64_t begin, int64_t end) {
      std::vector<C> losses(static_cast<size_t>(std::min(rows_at_once * length, kBlockLength)));
      for (int64_t part = begin; part < end; ++part) {
        const int64_t first = part * rows_at_once;
        const int64_t rows = std::min(rows_at_once, geometry_.rows() - first);
        if (length <= kBlockLength) {
          write_losses(first * length, rows * length, columns, losses.data());
          for (int64_t row = 0; row < rows; ++row) {
            loss[first + row] = row_mean(losses.data() + row * length, length);
          }
        } else {
          loss[first] = long_row_mean(first, columns, losses.data());
        }
      }
    });
  }

  T row_mean(const C* losses, int64_t length) const {
    double total = 0.0;
    for (int64_t k = 0; k < length; ++k) total += losses[k];
    return narrow<T>(total * geometry_.row_scale);
  }

  T long_row_mean(int64_t row, const TailColumns<C>& columns, C* losses) const {
    double total = 0.0;
    const int64_t end = (row + 1) * geometry_.row_length;
    for (int64_t flat = row * geometry_.row_length; flat < end; flat += kBlockLength) {
      const int64_t count = std::min(kBlockLength, end - flat);
      write_losses(flat, count, columns, losses);
      for (int64_t k = 0; k < count; ++k) total += losses[k];
    }
    return narrow<T>(total * geometry_.row_scale);
  }

  void write_losses(int64_t begin, int64_t count, const TailColumns<C>& columns, C* out) const {
    for_each_run(geometry_, begin, begin + count, [&](int64_t flat, int64_t n, int64_t group) {
      const T* const t = problem_.y_true + flat;
      const T* const p = problem_.y_pred + flat;
      C* const to = out + (flat - begin);
      if (geometry_.inner == 1) {
        const Tail<C> tail = tail_of(state_[group], problem_.weights);
        problem_.loops.losses(t, p, n, problem_.weights, tail, to);
      } else {
        problem_.loops.column_losses(t, p, n, problem_.weights, columns, group, to);
      }
    });
  }

  const Problem<T>& problem_;
  const Geometry& geometry_;
  GroupState* const state_;
  Executor& executor_;
};

}  // namespace

template <typename T>
void tail_loss_forward(const T* y_true, const T* y_pred, const Geometry& geometry,
                       const Options& options, T* loss, GroupState* state, Executor& executor) {
  const KeepSubnormals guard;
  const Problem<T> problem(y_true, y_pred, geometry, options);
  Forward<T>(problem, state, executor).run(loss);
}

#define TAILOPS_INSTANTIATE(T)                                                                \
  template void tail_loss_forward<T>(const T*, const T*, const Geometry&, const Options&, T*, \
                                     GroupState*, Executor&);
TAILOPS_INSTANTIATE(float)
TAILOPS_INSTANTIATE(double)
TAILOPS_INSTANTIATE(Float16)
TAILOPS_INSTANTIATE(BFloat16)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
