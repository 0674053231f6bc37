#include <numeric>

#include "call/range_mean.h"
#include "core/element_types.h"
#include "core/subnormals.h"
#include "cpu/union/union.h"
#include "formulas/union_state.h"

namespace tailops {
namespace {

DigitPlace place_of(int64_t rank, const int64_t* table, const Digit& digit) {
  DigitPlace place{0, 0, 0};
  while (place.digit + 1 < digit.count() && rank >= place.smaller + table[place.digit]) {
    place.smaller += table[place.digit++];
  }
  place.ties = table[place.digit];
  return place;
}

// ranks_among(valid): the UnionRanks among so many.
template <typename RanksAmong>
void descend_all(const UnionRound& round, int64_t groups, const int64_t* counts,
                 const UnionSearch* before, UnionSearch* after, const RanksAmong& ranks_among) {
  const Digit digit = round.digit();
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t* const of_lower = counts + g * round.columns();
    const int64_t* const behind = of_lower + digit.count();
    UnionSearch search =
        round.is_first()
            ? begin_search(std::accumulate(of_lower, behind, int64_t{0}), *behind, ranks_among)
            : before[g];
    if (search.valid != 0) {
      const int64_t* const of_upper = round.tables(search) == 1 ? of_lower : behind;
      descend(search.lower, place_of(search.lower.rank, of_lower, digit), digit);
      descend(search.upper, place_of(search.upper.rank, of_upper, digit), digit);
    }
    after[g] = search;
  }
}

}  // namespace

void union_descend(const Options& options, const UnionRound& round, int64_t groups,
                   const int64_t* counts, const UnionSearch* before, UnionSearch* after) {
  const Threshold threshold = threshold_of(options);
  descend_all(round, groups, counts, before, after,
              [&](int64_t valid) { return ranks_of(threshold, valid); });
}

template <typename T>
void union_states(const Options& options, int64_t groups, const UnionSearch* search,
                  GroupState* state) {
  const KeepSubnormals guard;
  const Threshold threshold = threshold_of(options);
  for (int64_t g = 0; g < groups; ++g) {
    state[g] = union_state<ComputeType<T>>(search[g], threshold);
  }
}

void union_range_descend(RangeKind kind, const RangeBounds& bounds, const UnionRound& round,
                         int64_t groups, const int64_t* counts, const UnionSearch* before,
                         UnionSearch* after) {
  require_range(kind, bounds);
  descend_all(round, groups, counts, before, after, [&](int64_t valid) {
    if (!has_range(kind, bounds, valid)) throw_range_beyond(bounds, valid);
    return ranks_of(kind, bounds, valid);
  });
}

#define TAILOPS_INSTANTIATE(T, ...) \
  template void union_states<T>(const Options&, int64_t, const UnionSearch*, GroupState*);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
