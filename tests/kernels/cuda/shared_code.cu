// Every function that host and device share, called from device code: compiled, never run.

#include "core/float_types.h"
#include "core/ordered_bits.h"
#include "formulas/quantile_rank.h"
#include "formulas/quantile_state.h"
#include "formulas/rank.h"
#include "formulas/tail_loss.h"

namespace tailops {

template <typename Error, typename T>
__global__ void every_formula(const T* in, T* out, TailFormulas<Error, ComputeType<T>> formulas) {
  using Compute = ComputeType<T>;
  const Compute d = widen(in[0]), t = widen(in[1]);
  const Compute e = formulas.error(d);
  const Rank ranks[] = {rank_rules::floor(100, 0.5),     rank_rules::lower(100, 0.5),
                        rank_rules::higher(100, 0.5),    rank_rules::nearest(100, 0.5),
                        rank_rules::midpoint(100, 0.5),  rank_rules::linear(100, 0.5),
                        Threshold{1, 1.0, 0.5}.rank(100)};
  Compute threshold = t;
  for (const Rank& rank : ranks) threshold += interpolate(e, t, rank);
  const Compute key = OrderedBits<Compute>::decode(OrderedBits<Compute>::encode(threshold));
  const auto h = formulas.indicator(e, key, formulas.steepness_at(key));
  out[0] = narrow<T>(formulas.mixed(d, formulas.weighted(e, h)));
  out[1] = narrow<T>(formulas.threshold_derivative(e, h));
  const Compute weight = formulas.weight(h), spike = formulas.spike(e, h);
  out[2] = narrow<T>(formulas.residual_derivative(d, weight + spike, t));
  out[3] =
      narrow<T>(static_cast<Compute>(formulas.tied_by_error(Tie{weight, spike, 1.0, 1.0}, 1.0)));
}

template <typename T>
__global__ void every_part_of_selection(const T* in, const double* q, T* out,
                                        SelectionState* states) {
  using Compute = ComputeType<T>;
  using Bits = OrderedBits<T>;
  const Rank rank = selection_rank(is_selectable(kByRank, q[0], 9) ? kByRank : 0, q[0], 9);
  const Compute lower = widen(Bits::decode(Bits::encode(in[0]))), upper = widen(in[1]);
  states[0] = selection_state(lower, upper, 2.0, 3.0, rank);
  states[1] = nan_selection(0.0);
  states[2] = state_without_gradient(1.0);
  const auto shares = selection_shares<Compute>(states[0], q[1]);
  out[0] = narrow<T>(static_cast<double>(shares.of_all));
  out[1] = selected_value<T>(lower, upper, rank);
}

__global__ void integers(const int8_t* in, uint32_t* out) {
  out[0] = OrderedBits<uint32_t>::decode(OrderedBits<int8_t>::encode(in[0]));
}

#define TAILOPS_INSTANTIATE(Error, T) \
  template __global__ void every_formula(const T*, T*, TailFormulas<Error, ComputeType<T>>);
#define TAILOPS_INSTANTIATE_ERRORS(T)                                                             \
  template __global__ void every_part_of_selection(const T*, const double*, T*, SelectionState*); \
  TAILOPS_INSTANTIATE(AbsoluteError, T)                                                           \
  TAILOPS_INSTANTIATE(SquaredError, T)                                                            \
  TAILOPS_INSTANTIATE(SmoothAbsoluteError, T)
TAILOPS_INSTANTIATE_ERRORS(float)
TAILOPS_INSTANTIATE_ERRORS(double)
TAILOPS_INSTANTIATE_ERRORS(Float16)
TAILOPS_INSTANTIATE_ERRORS(BFloat16)

}  // namespace tailops
