#include <vector>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/loss/backward/element_gradients.h"
#include "cpu/loss/backward/threshold_gradients.h"
#include "cpu/loss/column_sums.h"
#include "cpu/loss/mean_factors.h"
#include "cpu/loss/short_groups.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/pass/problem.h"
#include "cpu/pass/tail_columns.h"
#include "formulas/ties.h"

namespace tailops {
namespace {

template <typename T>
class Backward {
 public:
  using C = ComputeType<T>;

  Backward(const Problem<T>& problem, const T* upstream, const GroupState* state,
           Executor& executor)
      : problem_(problem),
        geometry_(problem.geometry),
        upstream_(upstream),
        state_(state),
        executor_(executor),
        scalar_factor_(geometry_.reduces_to_scalar() ? scalar_factor(problem, state) : 0.0),
        row_factors_(scales_of_rows()) {}

  void run(T* gradient) const {
    const bool short_groups =
        are_short(geometry_, problem_.options, problem_.ignoring.any, kShortBackward);
    if (short_groups && geometry_.inner < kWideColumns) return write_short(gradient);
    write_gradients(problem_, state_, ties_of_groups(), *this, gradient, executor_);
  }

  // The upstream gradient of [begin, end), with one value per element unless one serves all.
  Upstream<T> of(int64_t begin, int64_t end, std::vector<T>& spread) const {
    if (geometry_.reduces_to_scalar()) return {upstream_, false, scalar_factor_};
    if (geometry_.row_length == 1) return {upstream_ + begin, true, geometry_.mean_factor};
    spread.resize(static_cast<size_t>(end - begin));
    for (int64_t flat = begin; flat < end;) {
      const int64_t row = flat / geometry_.row_length;
      const int64_t stop = std::min(end, (row + 1) * geometry_.row_length);
      std::fill(spread.begin() + (flat - begin), spread.begin() + (stop - begin),
                upstream_of_row(row));
      flat = stop;
    }
    return {spread.data(), true, row_factors_.empty() ? geometry_.mean_factor : 1.0};
  }

  // Of elements that lie `inner` apart.
  Upstream<T> of_strided(int64_t first, int64_t n, std::vector<T>& spread) const {
    if (geometry_.reduces_to_scalar()) return {upstream_, false, scalar_factor_};
    spread.resize(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; ++k) {
      spread[static_cast<size_t>(k)] =
          upstream_of_row((first + k * geometry_.inner) / geometry_.row_length);
    }
    return {spread.data(), true, row_factors_.empty() ? geometry_.mean_factor : 1.0};
  }

 private:
  std::vector<Ties> ties_of_groups() const {
    std::vector<Ties> ties(static_cast<size_t>(geometry_.groups()));
    const auto set = [&](int64_t g, const auto& gradient) {
      ties[static_cast<size_t>(g)] = ties_of(state_[g], gradient, problem_.parameters);
    };
    if (knows_threshold_gradients()) {
      for (int64_t g = 0; g < geometry_.groups(); ++g) set(g, known_threshold_gradient(g));
    } else {
      for_each_threshold_gradient(problem_, state_, *this, executor_, set);
    }
    return ties;
  }

  bool knows_threshold_gradients() const {
    return problem_.parameters.mode != GradientMode::kExact || geometry_.reduces_to_scalar();
  }

  // The forward pass knows ∂L/∂t up to the upstream gradient; or nobody asks for it.
  auto known_threshold_gradient(int64_t g) const {
    return threshold_gradient_of(state_[g],
                                 static_cast<double>(widen(*upstream_)) * scalar_factor_);
  }

  // --- Groups of few elements, side by side.

  void write_short(T* gradient) const {
    for_each_short_tile(problem_, executor_,
                        [&](const ShortTile<T>& tile, const Columns<T>& columns) {
                          T* const written = scratch_of<T, Scratch::kResults>(tile.size());
                          std::vector<T> spread;
                          const Upstream<T> upstream = upstream_of_tile(tile, spread);
                          const TailColumns<C> tails = tails_of_tile(tile, columns, upstream);
                          const RowPasses passes(columns);
                          for (int64_t i = 0; i < tile.size(); i += passes.width) {
                            const int64_t n = std::min(passes.width, tile.size() - i);
                            problem_.loops.column_gradient(columns.y_true + i, columns.y_pred + i,
                                                           n, problem_.parameters, tails, 0,
                                                           from(upstream, i), false, written + i);
                          }
                          tile.scatter(written, gradient);
                        });
  }

  TailColumns<C> tails_of_tile(const ShortTile<T>& tile, const Columns<T>& columns,
                               const Upstream<T>& upstream) const {
    const int64_t repeat = RowPasses(columns).repeat;
    TailColumns<C> tails =
        columns_of(state_ + tile.first, 1, tile.width, repeat, problem_.parameters);
    std::vector<ThresholdGradient> gradients;
    if (!knows_threshold_gradients()) {
      SerialExecutor serial;
      gradients = column_threshold_gradients(
          columns, tails, problem_.loops, problem_.parameters, serial,
          [&](int64_t i, int64_t, std::vector<T>&) { return from(upstream, i); });
    }
    std::vector<Ties> ties;
    ties.reserve(static_cast<size_t>(tile.width));
    for (int64_t c = 0; c < tile.width; ++c) {
      const int64_t g = tile.first + c;
      const auto from = [&](const auto& gradient) {
        return ties_of(state_[g], gradient, problem_.parameters);
      };
      ties.push_back(gradients.empty() ? from(known_threshold_gradient(g))
                                       : from(gradients[static_cast<size_t>(c)]));
    }
    add_ties(tails, ties, tile.width, repeat);
    return tails;
  }

  static Upstream<T> from(Upstream<T> upstream, int64_t i) {
    if (upstream.each) upstream.values += i;
    return upstream;
  }

  Upstream<T> upstream_of_tile(const ShortTile<T>& tile, std::vector<T>& spread) const {
    if (geometry_.reduces_to_scalar()) return {upstream_, false, scalar_factor_};
    spread.resize(static_cast<size_t>(tile.size()));
    tile.for_each([&](int64_t flat, int64_t i) {
      spread[static_cast<size_t>(i)] = upstream_[flat / geometry_.row_length];
    });
    return {spread.data(), true, geometry_.mean_factor};
  }

  // --- All others.

  // Where something is ignored, each row has a factor of its own.
  std::vector<double> scales_of_rows() const {
    if (!divides_by_valid(geometry_, problem_.ignoring.any) || geometry_.reduces_to_scalar()) {
      return {};
    }
    std::vector<double> factors(static_cast<size_t>(geometry_.rows()));
    run_tasks(executor_, geometry_.rows(), geometry_.row_length,
              [&](int64_t begin, int64_t end, Executor& inside) {
                for (int64_t row = begin; row < end; ++row) {
                  factors[static_cast<size_t>(row)] = mean_factor(problem_, row, inside);
                }
              });
    return factors;
  }

  T upstream_of_row(int64_t row) const {
    if (row_factors_.empty()) return upstream_[row];
    return narrow<T>(static_cast<double>(widen(upstream_[row])) *
                     row_factors_[static_cast<size_t>(row)]);
  }

  const Problem<T>& problem_;
  const Geometry& geometry_;
  const T* const upstream_;
  const GroupState* const state_;
  Executor& executor_;
  const double scalar_factor_;
  const std::vector<double> row_factors_;
};

}  // namespace

template <typename T>
void tail_loss_backward(const T* upstream, const T* y_true, const T* y_pred, const bool* mask,
                        const GroupState* state, const Geometry& geometry, const Options& options,
                        T* gradient, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  const Problem<T> problem(y_true, y_pred, mask, geometry, options);
  if (!must_sum_samples(geometry, problem.ignoring.any)) {
    return Backward<T>(problem, upstream, state, executor).run(gradient);
  }
  const Geometry samples = by_sample(geometry);
  const int64_t of_row = samples.rows() / geometry.rows();
  std::vector<T> of_samples(static_cast<size_t>(samples.rows()));
  for (int64_t i = 0; i < samples.rows(); ++i) {
    of_samples[static_cast<size_t>(i)] = upstream[i / of_row];
  }
  Backward<T>(Problem<T>(y_true, y_pred, mask, samples, options), of_samples.data(), state,
              executor)
      .run(gradient);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                           \
  template void tail_loss_backward<T>(const T*, const T*, const T*, const bool*,              \
                                      const GroupState*, const Geometry&, const Options&, T*, \
                                      Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
