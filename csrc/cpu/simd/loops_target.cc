// The loops for one instruction set: the compiler's flags say which, and TAILOPS_TARGET names it.

#include <utility>

#include "core/element_types.h"
#include "cpu/simd/collect.h"
#include "cpu/simd/columns.h"
#include "cpu/simd/gradient.h"
#include "cpu/simd/ignore.h"
#include "cpu/simd/loops.h"
#include "cpu/simd/losses.h"
#include "cpu/simd/order.h"
#include "cpu/simd/range.h"
#include "cpu/simd/short_columns.h"
#include "cpu/simd/sums.h"
#include "cpu/simd/weighted.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

// Calls a loop, and leaves no register's upper part in use: GCC forgets that in functions that
// realign their stack, and every SSE instruction of the callers would wait for it.
template <auto kLoop>
struct Clean;
template <typename Result, typename... Arguments, Result (*kLoop)(Arguments...)>
struct Clean<kLoop> {
  static Result call(Arguments... arguments) {
    const CleanRegisters at_end;
    return kLoop(arguments...);
  }

 private:
  struct CleanRegisters {
    ~CleanRegisters() {
#if defined(__AVX__)
      _mm256_zeroupper();
#endif
    }
  };
};
template <auto kLoop>
constexpr auto clean = Clean<kLoop>::call;

template <typename Error, typename T>
constexpr Loops<T> table() {
  using C = ComputeType<T>;
  using Gradient = GradientLoops<Error, T>;
  using Losses = LossLoops<Error, T>;
  using Sum = SumLoops<Error, T>;
  using Ignoring = IgnoreLoops<T>;
  Loops<T> loops{};
  loops.count_ignored = clean<Ignoring::count_ignored>;
  loops.zero_ignored = clean<Ignoring::zero_ignored>;
  loops.keep_valid = clean<Ignoring::keep_valid>;
  loops.clear = clean<Ignoring::template clear<T>>;
  loops.clear_wide = clean<Ignoring::template clear<C>>;
  loops.errors = clean<Losses::errors>;
  loops.collect = clean<CollectLoops<Error, T>::collect>;
  loops.collect_from = clean<CollectLoops<Error, T>::collect_from>;
  loops.split = clean<OrderLoops<C>::split>;
  loops.kth_smallest = clean<OrderLoops<C>::kth_smallest>;
  loops.ranked_columns = clean<NetworkLoops<C>::ranked_columns>;
  loops.sum_errors = clean<Sum::sum_errors>;
  loops.sum = clean<Sum::sum>;
  loops.ranked_errors = clean<ShortColumnLoops<Error, T>::ranked_errors>;
  loops.column_collect = clean<ColumnLoops<Error, T>::column_collect>;
  loops.column_sum = clean<ColumnLoops<Error, T>::column_sum>;
  loops.column_threshold_gradient = clean<ColumnLoops<Error, T>::column_threshold_gradient>;
  loops.losses = clean<Losses::losses>;
  loops.wide_losses = clean<Losses::wide_losses>;
  loops.column_losses = clean<Losses::column_losses>;
  loops.wide_column_losses = clean<Losses::wide_column_losses>;
  loops.threshold_gradient = clean<Sum::threshold_gradient>;
  loops.gradient = clean<Gradient::gradient>;
  loops.column_gradient = clean<Gradient::column_gradient>;
  loops.weight_extent = clean<weight_extent<C>>;
  loops.split_weighted = clean<WeightedSplitter<C, float>::split>;
  loops.split_wide_weighted = clean<WeightedSplitter<C, double>::split>;
  loops.count_true = clean<RangeLoops<T>::count_true>;
  loops.take_valid = clean<RangeLoops<T>::take_valid>;
  loops.split_range = clean<RangeLoops<T>::split_range>;
  loops.sum_between = clean<RangeLoops<T>::sum_between>;
  loops.range_columns = clean<RangeLoops<T>::range_columns>;
  loops.range_gradient = clean<RangeLoops<T>::gradient>;
  loops.range_column_gradient = clean<RangeLoops<T>::column_gradient>;
  return loops;
}

template <typename T, size_t... I>
const Loops<T>* tables(std::index_sequence<I...>) {
  static constexpr Loops<T> all[] = {table<std::tuple_element_t<I, ErrorKinds>, T>()...};
  return all;
}

template <typename T>
const Loops<T>* loops() {
  return tables<T>(std::make_index_sequence<std::tuple_size_v<ErrorKinds>>{});
}

#define TAILOPS_INSTANTIATE(T, ...) template const Loops<T>* loops<T>();
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace TAILOPS_TARGET
}  // namespace tailops
