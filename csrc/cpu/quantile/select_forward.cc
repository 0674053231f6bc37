#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include "core/element_types.h"
#include "core/subnormals.h"
#include "cpu/pass/copied_columns.h"
#include "cpu/quantile/quantile.h"
#include "cpu/quantile/rank_plan.h"
#include "cpu/select/rows.h"
#include "cpu/simd/selection_network.h"
#include "formulas/rank.h"

namespace tailops {
namespace {

template <typename T>
class SelectForward {
 public:
  using C = SelectionType<T>;

  SelectForward(const T* x, const SelectionGeometry& geometry, const SelectionOptions& options,
                const double* q, int64_t q_count, T* value, SelectionState* state)
      : x_(x),
        geometry_(geometry),
        options_(options),
        q_(q),
        q_count_(q_count),
        value_(value),
        state_(state),
        plan_(options, q, q_count, geometry.length) {}

  void run(Executor& executor) const {
    if constexpr (kHasNetwork) {
      if (are_short()) return run_short(executor);
    }
    for_each_row(x_, nullptr, geometry_, executor,
                 [&](const T* x, const bool*, int64_t g, Executor& inside) { row(x, g, inside); });
  }

 private:
  // 64-bit integers have no loops.
  static constexpr bool kHasNetwork = !std::is_same_v<T, C> || std::is_floating_point_v<T>;

  bool are_short() const {
    constexpr size_t kFewRanks = 4;
    return geometry_.inner == 1 && geometry_.length <= SelectionNetwork::kMostLines &&
           geometry_.groups() >= SelectionNetwork::kFewestGroups &&
           plan_.ranks.size() <= kFewRanks && !options_.ignore_nan;
  }

  // Rows of few elements, side by side.
  void run_short(Executor& executor) const {
    const int64_t length = geometry_.length, groups = geometry_.groups();
    const SelectionNetwork network(length, plan_.ranks);
    const int64_t at_once = SelectionNetwork::groups_at_once(length);
    const int64_t tiles = (groups + at_once - 1) / at_once;
    parallel_for(executor, tiles, at_once * length, [&](int64_t begin, int64_t end) {
      std::vector<Ranked<C>> found(static_cast<size_t>(at_once) * plan_.ranks.size());
      for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t first = tile * at_once, rows = std::min(at_once, groups - first);
        selector_.select_rows(x_ + first * length, rows, network, found.data());
        for (int64_t r = 0; r < rows; ++r) {
          set_all(first + r, plan_, &found[static_cast<size_t>(r) * plan_.ranks.size()]);
        }
      }
    });
  }

  void row(const T* x, int64_t group, Executor& executor) const {
    const int64_t length = geometry_.length;
    if constexpr (!std::is_integral_v<T>) {
      if (options_.ignore_nan) {
        const auto numbers = Row<T>::of_numbers(x, length, loops_of<T>(0), executor);
        if (numbers.count() == 0) return set_all_nan(group);
        if (numbers.count() < length) {
          return select(numbers, RankPlan(options_, q_, q_count_, numbers.count()), group,
                        executor);
        }
      }
    }
    select(Row<T>(x, length), plan_, group, executor);
  }

  void select(const Row<T>& row, const RankPlan& plan, int64_t group, Executor& executor) const {
    constexpr size_t kFew = 16;
    Ranked<C> few[kFew];
    std::vector<Ranked<C>> many(plan.ranks.size() > kFew ? plan.ranks.size() : 0);
    Ranked<C>* const found = many.empty() ? few : many.data();
    selector_.select(row, plan.ranks, found, executor);
    set_all(group, plan, found);
  }

  void set_all(int64_t group, const RankPlan& plan, const Ranked<C>* found) const {
    for (int64_t i = 0; i < q_count_; ++i) {
      const RankPlan::Wanted& wanted = plan.wanted[static_cast<size_t>(i)];
      set(group, i, wanted.rank, found[wanted.lower], found[wanted.upper]);
    }
  }

  void set(int64_t group, int64_t i, const Rank& rank, const Ranked<C>& lower,
           const Ranked<C>& upper) const {
    T& value = value_[i * geometry_.groups() + group];
    SelectionState& state = state_[group * q_count_ + i];
    if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(lower.value);
      state = state_without_gradient(static_cast<double>(lower.value));
    } else {
      value = selected_value<T>(lower.value, upper.value, rank);
      const bool nan = lower.value != lower.value;
      state = nan ? nan_selection(std::numeric_limits<double>::quiet_NaN())
                  : selection_state(lower.value, upper.value, static_cast<double>(lower.ties),
                                    static_cast<double>(upper.ties), rank);
    }
  }

  // Nothing but NaN: there is no element whose gradient it could be.
  void set_all_nan(int64_t group) const {
    if constexpr (!std::is_integral_v<T>) {
      const double nan = std::numeric_limits<double>::quiet_NaN();
      for (int64_t i = 0; i < q_count_; ++i) {
        value_[i * geometry_.groups() + group] = narrow<T>(nan);
        state_[group * q_count_ + i] = nan_selection(0.0);
      }
    }
  }

  const T* x_;
  const Groups& geometry_;
  const SelectionOptions& options_;
  const double* q_;
  const int64_t q_count_;
  T* value_;
  SelectionState* state_;
  const RankPlan plan_;
  const RowSelector<T> selector_{};
};

}  // namespace

template <typename T>
void select_forward(const T* x, const SelectionGeometry& geometry, const SelectionOptions& options,
                    const double* q, int64_t q_count, T* value, SelectionState* state,
                    Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  require_method_of<T>(options);
  require_selectable(options, q, q_count, geometry.length);
  if (geometry.size() == 0 || q_count == 0) return;
  SelectForward<T>(x, geometry, options, q, q_count, value, state).run(executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                         \
  template void select_forward(const T*, const SelectionGeometry&, const SelectionOptions&, \
                               const double*, int64_t, T*, SelectionState*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
TAILOPS_INTEGERS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
