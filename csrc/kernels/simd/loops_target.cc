// The loops for one instruction set: the compiler's flags say which, and TAILOPS_TARGET names it.

#include <utility>

#include "collect.h"
#include "columns.h"
#include "gradient.h"
#include "ignore.h"
#include "loops.h"
#include "losses.h"
#include "order.h"
#include "sums.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
constexpr Loops<T> table() {
  using C = ComputeType<T>;
  using Gradient = GradientLoops<Error, T>;
  using Losses = LossLoops<Error, T>;
  using Sum = SumLoops<Error, T>;
  using Ignoring = IgnoreLoops<T>;
  Loops<T> loops{};
  loops.count_ignored = Ignoring::count_ignored;
  loops.take_out = Ignoring::take_out;
  loops.clear = Ignoring::template clear<T>;
  loops.clear_wide = Ignoring::template clear<C>;
  loops.errors = Losses::errors;
  loops.collect = CollectLoops<Error, T>::collect;
  loops.collect_from = CollectLoops<Error, T>::collect_from;
  loops.split = OrderLoops<C>::split;
  loops.kth_smallest = OrderLoops<C>::kth_smallest;
  loops.sum_errors = Sum::sum_errors;
  loops.sum = Sum::sum;
  loops.column_collect = ColumnLoops<Error, T>::column_collect;
  loops.column_sum = ColumnLoops<Error, T>::column_sum;
  loops.column_threshold_gradient = ColumnLoops<Error, T>::column_threshold_gradient;
  loops.losses = Losses::losses;
  loops.wide_losses = Losses::wide_losses;
  loops.column_losses = Losses::column_losses;
  loops.wide_column_losses = Losses::wide_column_losses;
  loops.direct_derivative = Gradient::direct_derivative;
  loops.threshold_gradient = Sum::threshold_gradient;
  loops.gradient = Gradient::gradient;
  loops.column_gradient = Gradient::column_gradient;
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

template const Loops<float>* loops<float>();
template const Loops<double>* loops<double>();
template const Loops<Float16>* loops<Float16>();
template const Loops<BFloat16>* loops<BFloat16>();

}  // namespace TAILOPS_TARGET
}  // namespace tailops
