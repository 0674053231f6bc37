#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include "core/element_types.h"
#include "core/subnormals.h"
#include "cpu/quantile/quantile.h"
#include "cpu/quantile/rank_plan.h"
#include "cpu/select/rows.h"
#include "cpu/simd/selection_network.h"
#include "formulas/rank.h"

namespace tailops {
namespace {

// Columns of a matrix that are gathered at once: as many as share a cache line of float32.
constexpr int64_t kColumnsAtOnce = 16;

// The elements of a row without its NaNs.
template <typename T>
std::vector<T> without_nan(const T* x, int64_t n) {
  std::vector<T> kept;
  kept.reserve(static_cast<size_t>(n));
  std::copy_if(x, x + n, std::back_inserter(kept), [](T v) {
    const auto wide = widen(v);
    return wide == wide;
  });
  return kept;
}

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
    const int64_t length = geometry_.length, inner = geometry_.inner;
    if (inner > 1) return run_columns(executor);
    if constexpr (kHasNetwork) {
      if (are_short()) return run_short(executor);
    }
    run_tasks(executor, geometry_.groups(), length,
              [&](int64_t begin, int64_t end, Executor& inside) {
                for (int64_t g = begin; g < end; ++g) row(x_ + g * length, g, inside);
              });
  }

 private:
  // 64-bit integers have no loops.
  static constexpr bool kHasNetwork = !std::is_same_v<T, C> || std::is_floating_point_v<T>;

  bool are_short() const {
    constexpr size_t kFewRanks = 4;
    return geometry_.length <= SelectionNetwork::kMostLines &&
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

  // Strided groups, copied some at a time to where each is a row: by each thread, unless there are
  // few or that would be much memory.
  void run_columns(Executor& executor) const {
    constexpr int64_t kMostCopied = int64_t{1} << 22;
    const int64_t length = geometry_.length, inner = geometry_.inner, groups = geometry_.groups();
    const bool side_by_side =
        kColumnsAtOnce * length <= kMostCopied && are_side_by_side(groups, length, executor);
    const int64_t width = std::min(
        inner, side_by_side ? neighbours_in_a_task(groups, length, kColumnsAtOnce, executor)
                            : kColumnsAtOnce);
    const int64_t across = (inner + width - 1) / width, tasks = geometry_.outer * across;
    const auto run = [&](int64_t begin, int64_t end, Executor& inside) {
      std::vector<T> tile(static_cast<size_t>(width * length));
      for (int64_t index = begin; index < end; ++index) {
        const int64_t first = index % across * width;
        columns(index / across, first, std::min(width, inner - first), tile.data(), inside);
      }
    };
    if (!side_by_side) return run(0, tasks, executor);
    parallel_for(executor, tasks, width * length, [&](int64_t begin, int64_t end) {
      SerialExecutor alone;
      run(begin, end, alone);
    });
  }

  void columns(int64_t outer, int64_t first, int64_t count, T* tile, Executor& inside) const {
    const int64_t length = geometry_.length, inner = geometry_.inner;
    const T* const from = x_ + geometry_.first_of(outer * inner + first);
    parallel_for(inside, length, count, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        for (int64_t c = 0; c < count; ++c) tile[c * length + k] = from[k * inner + c];
      }
    });
    for (int64_t c = 0; c < count; ++c) {
      row(tile + c * length, outer * inner + first + c, inside);
    }
  }

  void row(const T* x, int64_t group, Executor& executor) const {
    if constexpr (!std::is_integral_v<T>) {
      if (options_.ignore_nan) {
        const int64_t nans = selector_.count_nan(x, geometry_.length, executor);
        if (nans == geometry_.length) return set_all_nan(group);
        if (nans > 0) {
          const std::vector<T> kept = without_nan(x, geometry_.length);
          const int64_t n = geometry_.length - nans;
          return select(kept.data(), n, RankPlan(options_, q_, q_count_, n), group, executor);
        }
      }
    }
    select(x, geometry_.length, plan_, group, executor);
  }

  void select(const T* x, int64_t n, const RankPlan& plan, int64_t group,
              Executor& executor) const {
    constexpr size_t kFew = 16;
    Ranked<C> few[kFew];
    std::vector<Ranked<C>> many(plan.ranks.size() > kFew ? plan.ranks.size() : 0);
    Ranked<C>* const found = many.empty() ? few : many.data();
    selector_.select(x, n, plan.ranks, found, executor);
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
