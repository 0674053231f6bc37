#include <stdexcept>
#include <string>

#include "call/range_mean.h"
#include "core/element_types.h"
#include "core/subnormals.h"
#include "cpu/union/union.h"
#include "formulas/union_state.h"

namespace tailops {
namespace {

// One table for both, where there are two prefixes, would be read beyond its end.
void require_tables(const UnionSearch& search, int key_bits, int round, int64_t columns) {
  const int64_t needed = union_count_columns(key_bits, round, 2);
  if (columns == needed || have_one_prefix(search)) return;
  throw std::invalid_argument("counts of " + std::to_string(columns) +
                              " columns: must be those of two targets, " + std::to_string(needed));
}

// ranks_among(valid): the UnionRanks among so many.
template <typename RanksAmong>
void descend_all(int key_bits, int round, int64_t groups, int64_t columns, const int64_t* counts,
                 const UnionSearch* before, UnionSearch* after, const RanksAmong& ranks_among) {
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t* const of_group = counts + g * columns;
    if (round == 0) {
      after[g] = begin_search(of_group, key_bits, ranks_among);
    } else {
      require_tables(before[g], key_bits, round, columns);
      after[g] = before[g];
      continue_search(after[g], of_group, key_bits, round);
    }
  }
}

}  // namespace

void union_descend(const Options& options, int key_bits, int round, int64_t groups, int64_t columns,
                   const int64_t* counts, const UnionSearch* before, UnionSearch* after) {
  const Threshold threshold = threshold_of(options);
  descend_all(key_bits, round, groups, columns, counts, before, after,
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

void union_range_descend(RangeKind kind, const RangeBounds& bounds, int key_bits, int round,
                         int64_t groups, int64_t columns, const int64_t* counts,
                         const UnionSearch* before, UnionSearch* after) {
  require_range(kind, bounds);
  descend_all(key_bits, round, groups, columns, counts, before, after, [&](int64_t valid) {
    if (!has_range(kind, bounds, valid)) throw_range_beyond(bounds, valid);
    return ranks_of(kind, bounds, valid);
  });
}

#define TAILOPS_INSTANTIATE(T, ...) \
  template void union_states<T>(const Options&, int64_t, const UnionSearch*, GroupState*);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
