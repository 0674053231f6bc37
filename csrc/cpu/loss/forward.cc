#include <atomic>
#include <vector>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/loss/column_sums.h"
#include "cpu/loss/mean_factors.h"
#include "cpu/loss/results.h"
#include "cpu/loss/short_groups.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/problem.h"
#include "cpu/pass/tail_columns.h"
#include "cpu/select/columns.h"
#include "cpu/select/group.h"
#include "formulas/band.h"
#include "formulas/ties.h"

namespace tailops {
namespace {

// In float64, several sums side by side: in a single one, each addition waits for the one before.
template <typename C>
double sum_of(const C* values, int64_t n) {
  constexpr int64_t kSums = 8;
  double sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int64_t k = 0; k < kSums; ++k) sums[k] += values[i + k];
  }
  double total = 0.0;
  for (; i < n; ++i) total += values[i];
  for (const double sum : sums) total += sum;
  return total;
}

// The sums of short rows do not wait for each other.
template <typename C>
double sum_of_row(const C* values, int64_t length) {
  constexpr int64_t kShort = 16;
  if (length >= kShort) return sum_of(values, length);
  double total = 0.0;
  for (int64_t k = 0; k < length; ++k) total += values[k];
  return total;
}

template <typename T>
class Forward {
 public:
  using C = ComputeType<T>;

  Forward(const Problem<T>& problem, GroupState* state, Executor& executor)
      : problem_(problem),
        geometry_(problem.geometry),
        plan_(problem.options, problem.geometry.length),
        state_(state),
        executor_(executor) {}

  void run(T* loss) const {
    const bool with_sums = are_groups_summed();
    std::vector<double> losses(static_cast<size_t>(with_sums ? geometry_.groups() : 0));
    if (are_short(problem_, kShortForward)) {
      select_short(with_sums, losses);
    } else if (!(are_columns() && select_columns(with_sums, losses))) {
      select_groups(with_sums, losses);
    }
    if (!with_sums) return reduce_rows(loss);
    if (!geometry_.reduces_to_scalar()) return write_groups(losses, loss);
    double total = 0.0;
    for (const double group_loss : losses) total += group_loss;
    *loss = narrow<T>(total * scalar_factor(problem_, state_));
  }

 private:
  // Whether the sums over whole groups are all that the outputs are made of: of one output, or of
  // one per group. Columns have no Σ d² each.
  bool are_groups_summed() const {
    return geometry_.reduces_to_scalar() ||
           (geometry_.inner == 1 && geometry_.row_length == geometry_.length &&
            problem_.parameters.beta == C(0));
  }

  // Whether groups lie strided, long enough for a sample of rows.
  bool are_columns() const {
    return !problem_.ignoring.any && geometry_.inner > 1 && geometry_.length > kBufferLength &&
           plan_.path != SelectionPath::kRadix;
  }

  // Groups of few elements, side by side.
  void select_short(bool with_sums, std::vector<double>& losses) const {
    const int64_t lower = plan_.rank.lower, upper = plan_.rank.weight == 0.0 ? lower : lower + 1;
    const SelectionNetwork network(geometry_.length, {lower, upper});
    const auto select = [&](int64_t first, const Columns<T>& columns, Executor& inside) {
      std::vector<Ranked<C>> found(2 * static_cast<size_t>(columns.width));
      problem_.loops.ranked_errors(columns.y_true, columns.y_pred, columns.stride, columns.width,
                                   problem_.parameters, network, found.data());
      const Ranked<C>* of = found.data();
      for (int64_t c = 0; c < columns.width; ++c, of += 2) {
        const OrderStatistics<C> statistics{of[0].value, of[1].value, of[0].ties, of[1].ties};
        set_state(first + c, {statistics, plan_.rank, geometry_.length, 0});
      }
      if (!with_sums) return;
      double squares = 0.0;
      std::vector<Sums> sums = sum_known_columns(first, columns, inside, squares);
      sums[0].squares = squares;
      for (int64_t c = 0; c < columns.width; ++c) {
        set_loss(first + c, sums[static_cast<size_t>(c)], losses);
      }
    };
    if (geometry_.inner >= kWideColumns) return for_each_columns(problem_, executor_, select);
    for_each_short_tile(problem_, executor_,
                        [&](const ShortTile<T>& tile, const Columns<T>& columns) {
                          SerialExecutor serial;
                          select(tile.first, columns, serial);
                        });
  }

  // Each group by itself: its threshold and, for one output, its sums.
  void select_groups(bool with_sums, std::vector<double>& losses) const {
    for_each_group(problem_, executor_,
                   [&](int64_t g, const Group<T>& group, Executor& inside, SelectionHint<C>& hint) {
                     const Selected<C> found = selector(group, inside).select(with_sums, hint);
                     set_state(g, found);
                     if (with_sums)
                       set_loss(g, found.sums ? *found.sums : sum_group(group, found, inside),
                                losses);
                   });
  }

  // The same, many columns at once. False where that would keep most of the elements: then nothing
  // has been set that does not come again.
  bool select_columns(bool with_sums, std::vector<double>& losses) const {
    std::atomic<bool> all{true};
    for_each_columns(
        problem_, executor_, [&](int64_t first, const Columns<T>& columns, Executor& inside) {
          if (!all) return;
          const ColumnSelector<T> selecting(columns, plan_, problem_.loops, problem_.parameters,
                                            inside);
          const auto found = selecting.select(with_sums);
          if (!found) {
            all = false;
            return;
          }
          std::vector<Selected<C>> selected;
          int64_t without_sums = 0;
          for (int64_t c = 0; c < columns.width; ++c) {
            const auto& of_column = found->columns[static_cast<size_t>(c)];
            selected.push_back(of_column ? *of_column : select_alone(first + c, inside));
            set_state(first + c, selected.back());
            without_sums += !selected.back().sums;
          }
          if (!with_sums) return;
          std::vector<Sums> sums(static_cast<size_t>(columns.width));
          double squares = found->squares;
          // A column by itself is read a cache line per element: only if few columns are.
          if (without_sums * kTileColumns <= columns.width) {
            for (int64_t c = 0; c < columns.width; ++c) {
              const Selected<C>& of_column = selected[static_cast<size_t>(c)];
              sums[static_cast<size_t>(c)] =
                  of_column.sums ? *of_column.sums
                                 : sum_group(problem_.group(first + c), of_column, inside);
              sums[static_cast<size_t>(c)].squares = 0.0;
            }
          } else {
            squares = 0.0;
            sums = sum_known_columns(first, columns, inside, squares);
          }
          sums[0].squares = squares;
          for (int64_t c = 0; c < columns.width; ++c) {
            set_loss(first + c, sums[static_cast<size_t>(c)], losses);
          }
        });
    return all;
  }

  // Of columns whose states are set.
  std::vector<Sums> sum_known_columns(int64_t first, const Columns<T>& columns, Executor& inside,
                                      double& squares) const {
    const TailColumns<C> tails = columns_of(state_ + first, 1, columns.width,
                                            RowPasses(columns).repeat, problem_.parameters);
    return sum_columns(columns, tails, problem_.loops, problem_.parameters, inside, squares);
  }

  Selected<C> select_alone(int64_t g, Executor& inside) const {
    SelectionHint<C> none;
    return selector(problem_.group(g), inside).select(false, none);
  }

  Selector<T> selector(const Group<T>& group, Executor& inside) const {
    return {group, plan_, problem_.loops, problem_.parameters, inside};
  }

  void set_state(int64_t g, const Selected<C>& found) const {
    const OrderStatistics<C>& s = found.statistics;
    state_[g] =
        state_of(s.lower, s.upper, static_cast<double>(s.lower_count),
                 static_cast<double>(s.upper_count), found.rank, static_cast<double>(found.valid));
  }

  void set_loss(int64_t g, const Sums& sums, std::vector<double>& losses) const {
    losses[static_cast<size_t>(g)] =
        mixture(static_cast<double>(problem_.parameters.beta), sums.squares, sums.weighted);
    state_[g].threshold_gradient = sums.threshold_gradient;
  }

  Sums sum_group(const Group<T>& group, const Selected<C>& found, Executor& inside) const {
    const Tail<C> tail = tail_of(found.threshold, found.statistics.lower, found.statistics.upper,
                                 problem_.parameters);
    const auto sum_of = [&](int64_t begin, int64_t end) {
      Sums sums;
      group.for_each_piece(begin, end, [&](const Piece<T>& piece, int64_t) {
        problem_.loops.sum(piece.y_true, piece.y_pred, piece.length, problem_.parameters, tail,
                           sums);
      });
      return sums;
    };
    return block_sum<Sums>(group.length, sum_of, inside);
  }

  // Where each group is a row.
  void write_groups(const std::vector<double>& losses, T* loss) const {
    for (int64_t g = 0; g < geometry_.groups(); ++g) {
      const double factor = mean_factor_of_group(problem_, state_[g]);
      loss[g] = narrow<T>(losses[static_cast<size_t>(g)] * factor);
      state_[g].threshold_gradient = 0.0;
    }
  }

  void reduce_rows(T* loss) const {
    const TailColumns<C> columns = columns_of(state_, geometry_, problem_.parameters);
    const int64_t length = geometry_.row_length;
    if (length == 1) return write_elements(columns, loss);
    const int64_t rows_at_once = std::max<int64_t>(1, kBlockLength / length);
    const int64_t parts = (geometry_.rows() + rows_at_once - 1) / rows_at_once;
    run_tasks(executor_, parts, rows_at_once * length,
              [&](int64_t begin, int64_t end, Executor& inside) {
                for (int64_t part = begin; part < end; ++part) {
                  const int64_t first = part * rows_at_once;
                  const int64_t rows = std::min(rows_at_once, geometry_.rows() - first);
                  if (length <= kBlockLength) {
                    write_means(first, rows, columns, loss);
                  } else {
                    loss[first] = long_row_mean(first, columns, inside);
                  }
                }
              });
  }

  // Rows of one element, whose mean it is.
  void write_elements(const TailColumns<C>& columns, T* losses) const {
    const ElementResults<T> results(problem_, losses);
    results.for_each_block(executor_, [&](int64_t begin, int64_t end) {
      results.write(
          begin, end, [&](const Piece<T>& piece, int64_t, int64_t group, bool streamed, T* to) {
            if (geometry_.inner == 1) {
              problem_.loops.losses(piece.y_true, piece.y_pred, piece.length, problem_.parameters,
                                    tail_of(state_[group], problem_.parameters), streamed, to);
            } else {
              problem_.loops.column_losses(piece.y_true, piece.y_pred, piece.length,
                                           problem_.parameters, columns, group, streamed, to);
            }
          });
    });
  }

  // Of rows that are a block together.
  void write_means(int64_t first, int64_t rows, const TailColumns<C>& columns, T* means) const {
    const int64_t length = geometry_.row_length;
    C losses[kBlockLength];
    write_losses(first * length, rows * length, columns, losses);
    SerialExecutor alone;
    for (int64_t row = 0; row < rows; ++row) {
      const double total = sum_of_row(losses + row * length, length);
      means[first + row] = narrow<T>(total * mean_factor(problem_, first + row, alone));
    }
  }

  T long_row_mean(int64_t row, const TailColumns<C>& columns, Executor& inside) const {
    const int64_t length = geometry_.row_length;
    const auto sum_of_block = [&](int64_t begin, int64_t end) {
      C losses[kBlockLength];
      write_losses(row * length + begin, end - begin, columns, losses);
      return sum_of(losses, end - begin);
    };
    const double total = block_sum<double>(length, sum_of_block, inside);
    return narrow<T>(total * mean_factor(problem_, row, inside));
  }

  void write_losses(int64_t begin, int64_t count, const TailColumns<C>& columns, C* out) const {
    for_each_run(geometry_, begin, begin + count, [&](int64_t flat, int64_t n, int64_t group) {
      const Elements<T> elements = problem_.elements.from(flat);
      const Piece<T> piece = taken_out(elements, n, problem_.ignoring);
      C* const to = out + (flat - begin);
      if (geometry_.inner == 1) {
        const Tail<C> tail = tail_of(state_[group], problem_.parameters);
        problem_.loops.wide_losses(piece.y_true, piece.y_pred, n, problem_.parameters, tail, to);
      } else {
        problem_.loops.wide_column_losses(piece.y_true, piece.y_pred, n, problem_.parameters,
                                          columns, group, to);
      }
      // Where the threshold is NaN, even an error of zero has a loss.
      if (piece.ignored != 0) {
        problem_.loops.clear_wide(elements, n, problem_.ignoring.rule, to);
      }
    });
  }

  const Problem<T>& problem_;
  const Geometry& geometry_;
  const SelectionPlan plan_;
  GroupState* const state_;
  Executor& executor_;
};

}  // namespace

template <typename T>
void tail_loss_forward(const T* y_true, const T* y_pred, const bool* mask, const Geometry& geometry,
                       const Options& options, T* loss, GroupState* state, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  const Problem<T> problem(y_true, y_pred, mask, geometry, options);
  if (!must_sum_samples(geometry, problem.ignoring.any))
    return Forward<T>(problem, state, executor).run(loss);
  const Geometry samples = by_sample(geometry);
  std::vector<T> losses(static_cast<size_t>(samples.rows()));
  const Problem<T> of_samples(y_true, y_pred, mask, samples, options);
  Forward<T>(of_samples, state, executor).run(losses.data());
  const int64_t of_row = samples.rows() / geometry.rows();
  for (int64_t row = 0; row < geometry.rows(); ++row) {
    double total = 0.0;
    for (int64_t k = 0; k < of_row; ++k) {
      total += static_cast<double>(widen(losses[static_cast<size_t>(row * of_row + k)]));
    }
    loss[row] = narrow<T>(total);
  }
}

#define TAILOPS_INSTANTIATE(T, ...)                                                    \
  template void tail_loss_forward<T>(const T*, const T*, const bool*, const Geometry&, \
                                     const Options&, T*, GroupState*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
