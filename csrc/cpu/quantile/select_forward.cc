#include <algorithm>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "core/element_types.h"
#include "core/subnormals.h"
#include "cpu/pass/copied_columns.h"
#include "cpu/quantile/quantile.h"
#include "cpu/quantile/rank_plan.h"
#include "cpu/select/rows.h"
#include "cpu/select/weighted.h"
#include "cpu/simd/selection_network.h"
#include "formulas/rank.h"

namespace tailops {
namespace {

template <typename T>
class SelectForward {
 public:
  using C = SelectionType<T>;

  SelectForward(const T* x, const Weights& weights, const SelectionGeometry& geometry,
                const SelectionOptions& options, const double* q, int64_t q_count, T* value,
                SelectionState* state)
      : x_(x),
        weights_(weights),
        geometry_(geometry),
        options_(options),
        q_(q),
        q_count_(q_count),
        value_(value),
        state_(state),
        plan_(options, q, q_count, geometry.length) {}

  void run(Executor& executor) const {
    if (weights_.exist()) return run_weighted(executor);
    if constexpr (kHasNetwork) {
      if (are_short()) return run_short(executor);
    }
    constexpr const bool* kNoMask = nullptr;
    for_each_row(x_, kNoMask, geometry_, executor,
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

  void run_weighted(Executor& executor) const {
    with_weights(weights_, [&](const auto* all) {
      for_each_row(x_, all, geometry_, executor,
                   [&](const T* x, const auto* weights, int64_t g, Executor& inside) {
                     weighted_row(x, weights, g, inside);
                   });
    });
  }

  template <typename W>
  void weighted_row(const T* x, const W* weights, int64_t group, Executor& executor) const {
    const WeightedRow<T, W> row(x, weights, geometry_.length, options_.ignore_nan, executor);
    const auto ranks_of = [&](int64_t total) {
      std::vector<int64_t> ranks;
      for (int64_t i = 0; i < q_count_; ++i) {
        ranks.push_back(weighted_rank(options_.method, q_[i], total).lower);
      }
      return ranks;
    };
    WeightedFound<C> found =
        WeightedSelector<T, W>(row, executor).select({q_, q_ + q_count_}, ranks_of);
    if constexpr (!std::is_integral_v<T>) {
      if (found.has_nan && !options_.ignore_nan) {
        found.elements.assign(static_cast<size_t>(q_count_), nan_ranked<C>());
      }
      if (found.elements.empty() && all_are_nan(x)) return set_all_nan(group);
    }
    if (found.elements.empty()) {
      throw std::invalid_argument("weights of a group are all 0: at least one must be positive");
    }
    for (int64_t i = 0; i < q_count_; ++i) {
      const Ranked<C>& one = found.elements[static_cast<size_t>(i)];
      const double ties = row.whole().weight(one.ties);
      set(group, i, {one.smaller, 0.0, 1.0}, {one.value, ties}, {one.value, ties});
    }
  }

  bool all_are_nan(const T* x) const {
    return std::all_of(x, x + geometry_.length,
                       [](T value) { return widen(value) != widen(value); });
  }

  // An element, and how many equal it.
  struct Tied {
    C value;
    double ties;

    static Tied of(const Ranked<C>& one) { return {one.value, static_cast<double>(one.ties)}; }
  };

  void set_all(int64_t group, const RankPlan& plan, const Ranked<C>* found) const {
    for (int64_t i = 0; i < q_count_; ++i) {
      const RankPlan::Wanted& wanted = plan.wanted[static_cast<size_t>(i)];
      set(group, i, wanted.rank, Tied::of(found[wanted.lower]), Tied::of(found[wanted.upper]));
    }
  }

  void set(int64_t group, int64_t i, const Rank& rank, const Tied& lower, const Tied& upper) const {
    T& value = value_[i * geometry_.groups() + group];
    SelectionState& state = state_[group * q_count_ + i];
    if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(lower.value);
      state = state_without_gradient(static_cast<double>(lower.value));
    } else {
      value = selected_value<T>(lower.value, upper.value, rank);
      const bool nan = lower.value != lower.value;
      state = nan ? nan_selection(std::numeric_limits<double>::quiet_NaN())
                  : selection_state(lower.value, upper.value, lower.ties, upper.ties, rank);
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
  const Weights weights_;
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
void select_forward(const T* x, const Weights& weights, const SelectionGeometry& geometry,
                    const SelectionOptions& options, const double* q, int64_t q_count, T* value,
                    SelectionState* state, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  require_method_of<T>(options);
  if (weights.exist()) require_method_of_weights(options);
  require_selectable(options, q, q_count, geometry.length);
  if (geometry.size() == 0 || q_count == 0) return;
  SelectForward<T>(x, weights, geometry, options, q, q_count, value, state).run(executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                 \
  template void select_forward(const T*, const Weights&, const SelectionGeometry&,  \
                               const SelectionOptions&, const double*, int64_t, T*, \
                               SelectionState*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
TAILOPS_INTEGERS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
