#include <cmath>
#include <limits>
#include <vector>

#include "core/element_types.h"
#include "core/subnormals.h"
#include "cpu/pass/copied_columns.h"
#include "cpu/range_mean/range_mean.h"
#include "cpu/select/row_range.h"
#include "cpu/select/weighted.h"
#include "cpu/simd/selection_network.h"

namespace tailops {
namespace {

// What a range is among n elements.
struct RangePlan {
  RangePlan(RangeKind kind, const RangeBounds& bounds, int64_t n) : count(n) {
    const RangePlaces places = range_places(kind, bounds, n);
    range = places.range;
    wanted = {{}, places.open_below, places.open_above};
    if (places.open_below && places.open_above) return;
    wanted.ranks.push_back(places.lower);
    if (places.upper != places.lower) wanted.ranks.push_back(places.upper);
  }

  int64_t count;
  PositionRange range{};
  RangeRanks wanted{};
};

template <typename T>
class RangeForward {
 public:
  using C = ComputeType<T>;

  RangeForward(const T* values, const bool* mask, const Weights& weights,
               const SelectionGeometry& geometry, const RangeOptions& options,
               const RangeBounds& bounds, T* mean, RangeState* state)
      : values_(values),
        mask_(mask),
        weights_(weights),
        geometry_(geometry),
        kind_(options.kind),
        bounds_(bounds),
        threshold_(static_cast<C>(bounds.first)),
        mean_(mean),
        state_(state),
        plan_(kind_, bounds, geometry.length) {}

  void run(Executor& executor) const {
    if (weights_.exist()) return run_weighted(executor);
    if (are_short()) return run_short(executor);
    for_each_row(values_, mask_, geometry_, executor,
                 [&](const T* values, const bool* mask, int64_t group, Executor& inside) {
                   row(values, mask, group, inside);
                 });
  }

 private:
  bool are_short() const {
    return mask_ == nullptr && geometry_.length <= SelectionNetwork::kMostLines &&
           geometry_.groups() >= SelectionNetwork::kFewestGroups;
  }

  // Groups of few elements, side by side: columns as they lie, rows after they are turned.
  void run_short(Executor& executor) const {
    const int64_t length = geometry_.length, inner = geometry_.inner;
    const SelectionNetwork network(length, plan_.wanted.ranks);
    const ShortRange<C> wanted{
        plan_.wanted.open_below, plan_.wanted.open_above,
        kind_ == RangeKind::kAtLeast ? threshold_ : std::numeric_limits<C>::infinity()};
    const int64_t at_once = SelectionNetwork::groups_at_once(length);
    // A tile is some rows, or some columns of a matrix.
    const int64_t of_tiles = inner == 1 ? geometry_.groups() : inner;
    const int64_t tiles = (of_tiles + at_once - 1) / at_once;
    const int64_t matrices = inner == 1 ? 1 : geometry_.outer;
    parallel_for(executor, matrices * tiles, at_once * length, [&](int64_t begin, int64_t end) {
      std::vector<ColumnRange<C>> found(static_cast<size_t>(at_once));
      std::vector<T> turned(static_cast<size_t>(inner == 1 ? at_once * length : 0));
      for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t first = tile % tiles * at_once, count = std::min(at_once, of_tiles - first);
        const int64_t group = tile / tiles * of_tiles + first;
        const T* from = values_ + geometry_.first_of(group);
        if (inner == 1) {
          for (int64_t r = 0; r < count; ++r) {
            for (int64_t k = 0; k < length; ++k) {
              turned[static_cast<size_t>(k * count + r)] = from[r * length + k];
            }
          }
          from = turned.data();
        }
        loops_.range_columns(from, inner == 1 ? count : inner, count, network, wanted,
                             found.data());
        for (int64_t c = 0; c < count; ++c) {
          set(group + c, plan_, sums_of(found[static_cast<size_t>(c)]));
        }
      }
    });
  }

  RangeSums sums_of(const ColumnRange<C>& of) const {
    const auto end = [](const Ranked<C>& one) {
      return RangeEnd{static_cast<double>(one.value), one.smaller, one.ties};
    };
    return {plan_.wanted.open_below ? open_below() : end(of.lower),
            plan_.wanted.open_above ? open_above() : end(of.upper), of.sum, of.has_nan};
  }

  void row(const T* values, const bool* mask, int64_t group, Executor& executor) const {
    const Row<T> row(values, mask, geometry_.length, loops_, executor);
    const int64_t n = row.count();
    if (n == 0) return set_empty(group);
    if (!has_range(kind_, bounds_, n)) throw_range_beyond(bounds_, n);
    if (n == plan_.count) return set(group, plan_, sums_of(row, plan_, executor));
    const RangePlan plan(kind_, bounds_, n);
    set(group, plan, sums_of(row, plan, executor));
  }

  void run_weighted(Executor& executor) const {
    with_weights(weights_, [&](const auto* all) {
      for_each_row(values_, all, geometry_, executor,
                   [&](const T* values, const auto* weights, int64_t group, Executor& inside) {
                     weighted_row(values, weights, group, inside);
                   });
    });
  }

  template <typename W>
  void weighted_row(const T* values, const W* weights, int64_t group, Executor& executor) const {
    const WeightedRow<T, W> row(values, weights, geometry_.length, false, executor);
    RangePlaces places{};
    const auto ranks_of = [&](int64_t total) {
      places = range_places(kind_, bounds_, total);
      return std::vector<int64_t>{places.lower, places.upper};
    };
    const WeightedFound<C> found =
        WeightedSelector<T, W>(row, executor).select({bounds_.first, bounds_.second}, ranks_of);
    if (found.has_nan) return set_nan(group);
    if (found.elements.empty()) return set_empty(group);
    const Ranked<C>&low = found.elements[0], &high = found.elements[1];
    const auto end = [](const Ranked<C>& one) {
      return RangeEnd{static_cast<double>(one.value), one.smaller, one.ties};
    };
    const RangeEnd lower = places.open_below ? open_below() : end(low);
    const RangeEnd upper = places.open_above ? open_above() : end(high);
    const double between = block_sum<double>(
        row.length(),
        [&](int64_t begin, int64_t) {
          return sum_between(row, begin / kBlockLength, places, low.value, high.value);
        },
        executor);
    const RangeState state = range_state(places.range, lower, upper);
    mean_[group] = narrow<T>(range_mean(state, between, lower, upper));
    state_[group] = per_unit(state, row.whole().weight(1));
  }

  // Of a block; by how often each counts.
  template <typename W>
  static double sum_between(const WeightedRow<T, W>& row, int64_t block, const RangePlaces& places,
                            C lower, C upper) {
    double sum = 0.0;
    row.for_each_block(block, block + 1, [&](const C* numbers, const W* weights, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        const bool is_above = places.open_below || numbers[i] > lower;
        const bool is_below = places.open_above || numbers[i] < upper;
        const int64_t copies =
            is_above && is_below ? copies_of(row.whole(), numbers[i], weights[i]) : 0;
        if (copies != 0) sum += static_cast<double>(copies) * static_cast<double>(numbers[i]);
      }
    });
    return sum;
  }

  RangeSums sums_of(const Row<T>& row, const RangePlan& plan, Executor& executor) const {
    if (kind_ == RangeKind::kAtLeast) {
      return selector_.at_least(row, threshold_, plan.wanted.ranks[0], executor);
    }
    return selector_.select(row, plan.wanted, executor);
  }

  void set(int64_t group, const RangePlan& plan, const RangeSums& found) const {
    if (found.has_nan) return set_nan(group);
    const RangeState state =
        kind_ == RangeKind::kAtLeast
            ? range_state_at_least(found.lower.value, plan.count - found.lower.smaller)
            : range_state(plan.range, found.lower, found.upper);
    mean_[group] = narrow<T>(range_mean(state, found.between, found.lower, found.upper));
    state_[group] = state;
  }

  void set_empty(int64_t group) const {
    mean_[group] = narrow<T>(0.0);
    state_[group] = empty_range_state();
  }

  void set_nan(int64_t group) const {
    mean_[group] = narrow<T>(std::numeric_limits<double>::quiet_NaN());
    state_[group] = nan_range_state();
  }

  const T* values_;
  const bool* mask_;
  const Weights weights_;
  const SelectionGeometry& geometry_;
  const RangeKind kind_;
  const RangeBounds& bounds_;
  const C threshold_;
  T* mean_;
  RangeState* state_;
  const RangePlan plan_;  // where nothing is ignored
  const RangeSelector<T> selector_{};
  const Loops<T>& loops_ = loops_of<T>(0);
};

}  // namespace

template <typename T>
void range_mean_forward(const T* values, const bool* mask, const Weights& weights,
                        const SelectionGeometry& geometry, const RangeOptions& options,
                        const RangeBounds& bounds, T* mean, RangeState* state, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  require_range(options.kind, bounds);
  if (weights.exist()) require_range_of_weights(options.kind, mask != nullptr);
  if (geometry.size() == 0) return;
  if (mask == nullptr && !has_range(options.kind, bounds, geometry.length)) {
    throw_range_beyond(bounds, geometry.length);
  }
  RangeForward<T>(values, mask, weights, geometry, options, bounds, mean, state).run(executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                               \
  template void range_mean_forward(const T*, const bool*, const Weights&,         \
                                   const SelectionGeometry&, const RangeOptions&, \
                                   const RangeBounds&, T*, RangeState*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
