#include <vector>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/loss/forward/group_results.h"
#include "cpu/loss/forward/row_losses.h"
#include "cpu/loss/forward/select_columns.h"
#include "cpu/loss/forward/select_groups.h"
#include "cpu/loss/forward/select_short.h"
#include "cpu/loss/forward_plan.h"
#include "cpu/loss/mean_factors.h"
#include "cpu/loss/tail_loss.h"

namespace tailops {
namespace {

template <typename T>
void select(Selecting selecting, const GroupResults<T>& results, Executor& executor) {
  switch (selecting) {
    case Selecting::kShortColumns:
      return select_short_columns(results, executor);
    case Selecting::kShortTiles:
      return select_short_tiles(results, executor);
    case Selecting::kColumns:
      if (select_columns(results, executor)) return;
      break;
    case Selecting::kGroups:
      break;
  }
  select_groups(results, executor);
}

// Where each group is a row.
template <typename T>
void write_groups(const Problem<T>& problem, const std::vector<double>& losses, GroupState* state,
                  T* loss) {
  for (size_t g = 0; g < losses.size(); ++g) {
    loss[g] = narrow<T>(losses[g] * mean_factor_of_group(problem, state[g]));
    state[g].threshold_gradient = 0.0;
  }
}

template <typename T>
T sum_of_groups(const Problem<T>& problem, const std::vector<double>& losses,
                const GroupState* state) {
  double total = 0.0;
  for (const double group_loss : losses) total += group_loss;
  return narrow<T>(total * scalar_factor(problem, state));
}

// All but the sums of samples.
template <typename T>
void carry_out(const ForwardPlan& plan, const Problem<T>& problem, T* loss, GroupState* state,
               Executor& executor) {
  const int64_t groups = problem.geometry.groups();
  std::vector<double> losses(static_cast<size_t>(plan.sums_groups() ? groups : 0));
  select(plan.selecting, GroupResults<T>(problem, plan.sums_groups(), state, losses.data()),
         executor);
  switch (plan.outputs) {
    case Outputs::kAllGroups:
      *loss = sum_of_groups(problem, losses, state);
      break;
    case Outputs::kEachGroup:
      write_groups(problem, losses, state, loss);
      break;
    case Outputs::kElements:
      RowLosses<T>(problem, state).write_elements(loss, executor);
      break;
    case Outputs::kRows:
    case Outputs::kLongRows:
      RowLosses<T>(problem, state).write_means(plan.outputs == Outputs::kLongRows, loss, executor);
      break;
  }
}

template <typename T>
void carry_out_by_sample(const ForwardPlan& plan, const Problem<T>& problem, T* loss,
                         GroupState* state, Executor& executor) {
  const Geometry samples = by_sample(problem.geometry);
  std::vector<T> losses(static_cast<size_t>(samples.rows()));
  const Elements<T>& elements = problem.elements;
  const Problem<T> of_samples(elements.y_true, elements.y_pred, elements.mask, samples,
                              problem.options);
  carry_out(plan, of_samples, losses.data(), state, executor);
  const int64_t of_row = samples.rows() / problem.geometry.rows();
  for (int64_t row = 0; row < problem.geometry.rows(); ++row) {
    double total = 0.0;
    for (int64_t k = 0; k < of_row; ++k) {
      total += static_cast<double>(widen(losses[static_cast<size_t>(row * of_row + k)]));
    }
    loss[row] = narrow<T>(total);
  }
}

}  // namespace

template <typename T>
void tail_loss_forward(const T* y_true, const T* y_pred, const bool* mask, const Geometry& geometry,
                       const Options& options, T* loss, GroupState* state, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  const Problem<T> problem(y_true, y_pred, mask, geometry, options);
  const ForwardPlan plan = make_forward_plan(geometry, options, problem.ignoring.any,
                                             problem.parameters.beta != ComputeType<T>(0));
  if (plan.sums_samples) return carry_out_by_sample(plan, problem, loss, state, executor);
  carry_out(plan, problem, loss, state, executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                    \
  template void tail_loss_forward<T>(const T*, const T*, const bool*, const Geometry&, \
                                     const Options&, T*, GroupState*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
