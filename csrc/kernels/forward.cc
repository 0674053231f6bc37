#include "block_sum.h"
#include "problem.h"
#include "select.h"
#include "subnormals.h"
#include "tail_loss.h"

namespace tailops {
namespace {

struct GroupSums {
  double loss = 0.0;
  double threshold_gradient = 0.0;

  GroupSums& operator+=(const GroupSums& other) {
    loss += other.loss;
    threshold_gradient += other.threshold_gradient;
    return *this;
  }
};

template <typename Error, typename T>
class Forward {
 public:
  using Compute = ComputeType<T>;

  Forward(const Problem<Error, T>& problem, GroupState* state, Executor& executor)
      : problem_(problem), geometry_(problem.geometry), state_(state), executor_(executor) {}

  void run(T* loss) const {
    if (geometry_.reduces_to_scalar()) {
      reduce_to_scalar(loss);
    } else {
      for_each_group(geometry_, executor_,
                     [&](int64_t g, Executor& inside) { find_threshold(g, inside); });
      reduce_rows(loss);
    }
  }

 private:
  void find_threshold(int64_t group, Executor& inside) const {
    const int64_t first = problem_.first_of(group);
    const Rank rank = rank_of(problem_.options, geometry_.length);
    const auto error_at = [&](int64_t k) { return problem_.error(first + k * geometry_.inner); };
    const auto found =
        select<Compute>(error_at, geometry_.length, rank, problem_.options.selection, inside);
    state_[group] = {interpolate(found.lower, found.upper, rank),
                     found.lower,
                     found.upper,
                     rank.scale * (1.0 - rank.weight) / static_cast<double>(found.lower_count),
                     rank.scale * rank.weight / static_cast<double>(found.upper_count),
                     0.0};
  }

  GroupSums sum_group(int64_t group, Executor& inside) const {
    const int64_t first = problem_.first_of(group);
    const Compute threshold = static_cast<Compute>(state_[group].threshold);
    const bool exact = problem_.options.gradient == GradientMode::kExact;
    const auto sum_of = [&](int64_t begin, int64_t end) {
      GroupSums sums;
      for (int64_t k = begin; k < end; ++k) {
        const Compute d = problem_.residual(first + k * geometry_.inner);
        const Compute e = problem_.formulas.error(d);
        sums.loss += problem_.formulas.loss(d, e, threshold);
        if (exact) {
          sums.threshold_gradient += problem_.threshold_derivative(e, threshold);
        }
      }
      return sums;
    };
    return block_sum<GroupSums>(geometry_.length, sum_of, inside);
  }

  // One output: a group is still in the cache when its loss follows its threshold.
  void reduce_to_scalar(T* loss) const {
    std::vector<double> sums(static_cast<size_t>(geometry_.groups()));
    for_each_group(geometry_, executor_, [&](int64_t group, Executor& inside) {
      find_threshold(group, inside);
      const GroupSums found = sum_group(group, inside);
      sums[static_cast<size_t>(group)] = found.loss;
      state_[group].threshold_gradient = geometry_.row_scale * found.threshold_gradient;
    });
    double total = 0.0;
    for (const double sum : sums) total += sum;
    *loss = narrow<T>(total * geometry_.row_scale);
  }

  void reduce_rows(T* loss) const {
    parallel_for(executor_, geometry_.rows(), geometry_.row_length,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row) loss[row] = sum_row(row);
                 });
  }

  T sum_row(int64_t row) const {
    double total = 0.0;
    const int64_t first = row * geometry_.row_length;
    for_each_element(geometry_, first, first + geometry_.row_length,
                     [&](int64_t flat, int64_t group) {
                       const Compute threshold = static_cast<Compute>(state_[group].threshold);
                       const Compute d = problem_.residual(flat);
                       total += problem_.formulas.loss(d, problem_.formulas.error(d), threshold);
                     });
    return narrow<T>(total * geometry_.row_scale);
  }

  const Problem<Error, T>& problem_;
  const Geometry& geometry_;
  GroupState* const state_;
  Executor& executor_;
};

}  // namespace

template <typename T>
void tail_loss_forward(const T* y_true, const T* y_pred, const Geometry& geometry,
                       const Options& options, T* loss, GroupState* state, Executor& executor) {
  const KeepSubnormals guard;
  with_error_kind(options.error_kind, [&](auto kind) {
    const Problem<decltype(kind), T> problem(y_true, y_pred, geometry, options);
    Forward<decltype(kind), T>(problem, state, executor).run(loss);
  });
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
