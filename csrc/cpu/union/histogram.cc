#include <algorithm>
#include <limits>
#include <vector>

#include "core/element_types.h"
#include "core/growing_buffer.h"
#include "core/subnormals.h"
#include "cpu/pass/block_sum.h"
#include "cpu/pass/problem.h"
#include "cpu/select/group_errors.h"
#include "cpu/union/union.h"

namespace tailops {
namespace {

// The numbers whose keys have a prefix: [low, high] of them, where there are any.
template <typename C>
struct Prefixed {
  using Bits = OrderedBits<C>;
  using Key = typename Bits::Key;

  // Digits from this one on are not in the prefix.
  Prefixed(int64_t prefix, const Digit& digit) {
    constexpr C kInfinity = std::numeric_limits<C>::infinity();
    constexpr Key kOfMinusZero = Bits::kSign - 1;  // no number's: −0 has the key of +0
    const Key first = static_cast<Key>(prefix);
    const Key last = first | static_cast<Key>((Key(digit.count() - 1) << digit.shift)) |
                     digit.template rest<Key>();
    low = std::max(first, Bits::encode(-kInfinity));
    high = std::min(last, Bits::encode(kInfinity));
    if (high == kOfMinusZero) --high;
  }

  Key low;
  Key high;
};

template <typename T>
class Histogram {
 public:
  using C = ComputeType<T>;
  using Bits = OrderedBits<C>;

  Histogram(const Problem<T>& problem, const UnionRound& round, const UnionSearch* search,
            int64_t* counts)
      : problem_(problem),
        round_(round),
        digit_(round.digit()),
        columns_(round.columns()),
        search_(search),
        counts_(counts) {}

  void run(Executor& executor) const {
    if (problem_.geometry.size() == 0) {
      std::fill_n(counts_, problem_.geometry.groups() * columns_, 0);
      return;
    }
    for_each_group(problem_, executor,
                   [&](int64_t g, const Group<T>& group, Executor& inside, auto&) {
                     const Counts found = counted(g, group, inside);
                     std::copy(found.begin(), found.end(), counts_ + g * columns_);
                   });
  }

 private:
  using Counts = std::vector<int64_t>;

  Counts counted(int64_t g, const Group<T>& group, Executor& inside) const {
    const GroupErrors<T> of{group, problem_.loops, problem_.parameters};
    const auto fill = [&](Counts& counts, int64_t first_block, int64_t end_block) {
      counts.assign(static_cast<size_t>(columns_), 0);
      const auto size = static_cast<size_t>(std::min(kBlockLength, of.length()) + kSlack);
      std::vector<C> errors(size), between(round_.is_first() ? 0 : size);
      for (int64_t block = first_block; block < end_block; ++block) {
        const int64_t begin = block * kBlockLength;
        const int64_t end = std::min(of.length(), begin + kBlockLength);
        const int64_t valid = of.write(begin, end, errors.data());
        if (round_.is_first()) {
          count_all(errors.data(), valid, counts.data());
        } else {
          count_prefixed(search_[g], errors.data(), valid, between.data(), counts.data());
        }
      }
    };
    const auto merge = [](Counts& into, const Counts& from) {
      for (size_t i = 0; i < into.size(); ++i) into[i] += from[i];
    };
    return reduce_parts<Counts>(of.blocks(), fill, merge, inside);
  }

  void count_all(const C* errors, int64_t n, int64_t* counts) const {
    for (int64_t i = 0; i < n; ++i) {
      const bool is_nan = errors[i] != errors[i];
      ++counts[is_nan ? digit_.count() : digit_.of(Bits::encode(errors[i]))];
    }
  }

  void count_prefixed(const UnionSearch& search, const C* errors, int64_t n, C* between,
                      int64_t* counts) const {
    count_prefixed(search.lower, errors, n, between, counts);
    if (round_.tables(search) == 1) return;
    count_prefixed(search.upper, errors, n, between, counts + digit_.count());
  }

  // The loops find the few that have the prefix: only these are counted one by one.
  void count_prefixed(const UnionTarget& target, const C* errors, int64_t n, C* between,
                      int64_t* counts) const {
    const Prefixed<C> range(target.prefix, digit_);
    if (range.low > range.high) return;
    const Split<C> split =
        problem_.loops.split(errors, n, Bits::decode(range.low), Bits::decode(range.high), between);
    counts[digit_.of(range.low)] += split.at_low;
    counts[digit_.of(range.high)] += split.at_high;
    for (int64_t i = 0; i < split.between; ++i) ++counts[digit_.of(Bits::encode(between[i]))];
  }

  const Problem<T>& problem_;
  const UnionRound round_;
  const Digit digit_;
  const int64_t columns_;
  const UnionSearch* const search_;
  int64_t* const counts_;
};

}  // namespace

template <typename T>
void union_histogram(const T* y_true, const T* y_pred, const bool* mask, const Geometry& geometry,
                     const Options& options, const UnionRound& round, const UnionSearch* search,
                     int64_t* counts, Executor& executor) {
  const KeepSubnormals guard;
  const ScratchScope scope;
  const Problem<T> problem(y_true, y_pred, mask, geometry, options);
  Histogram<T>(problem, round, search, counts).run(executor);
}

#define TAILOPS_INSTANTIATE(T, ...)                                                       \
  template void union_histogram<T>(const T*, const T*, const bool*, const Geometry&,      \
                                   const Options&, const UnionRound&, const UnionSearch*, \
                                   int64_t*, Executor&);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
