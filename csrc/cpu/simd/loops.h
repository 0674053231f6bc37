#pragma once

// The loops over contiguous elements, each compiled once per instruction set and chosen at run
// time. Everything else of the kernels is above them and compiled once.

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "call/ignore.h"
#include "core/float_types.h"
#include "core/growing_buffer.h"
#include "cpu/simd/selection_network.h"
#include "formulas/band.h"
#include "formulas/parameters.h"
#include "formulas/range_mean.h"
#include "formulas/tie.h"
#include "formulas/whole_weights.h"

namespace tailops {

// What one pass over a group finds. Elements below the band are counted and added up, those above
// it added up, those equal to an end of the bracket counted, and the rest are candidates.
template <typename C>
struct Collected {
  int64_t below = 0;
  int64_t at_low = 0;
  int64_t at_high = 0;  // not counted where high == low
  double below_sum = 0.0;
  double above_sum = 0.0;
  double square_sum = 0.0;  // Σ d² of all, where β ≠ 0
  C* candidates = nullptr;
  int64_t count = 0;  // of the candidates; the caller has room for all, and kSlack more
};

// What kth_smallest needs of memory for n values.
constexpr int64_t spare_length(int64_t n) { return 2 * (n + kSlack); }

struct Sums {
  double weighted = 0.0;            // Σ ℓ
  double squares = 0.0;             // Σ d², where β ≠ 0
  double threshold_gradient = 0.0;  // Σ ∂L/∂t, without those equal to lower or upper

  Sums& operator+=(const Sums& other) {
    weighted += other.weighted;
    squares += other.squares;
    threshold_gradient += other.threshold_gradient;
    return *this;
  }
};

// One tail per element, in arrays: columns of a matrix. Loops read whole vectors, so there are
// kSlack more than columns.
template <typename C>
struct TailColumns : TailOf<std::vector<C>> {
  TieOf<std::vector<double>> lower_ties, upper_ties;
};

// The number of a column, as wide as a value.
template <typename C>
using Position = std::conditional_t<sizeof(C) == 4, int32_t, int64_t>;

// What a pass over rows finds: values, and which column each is of.
template <typename C>
struct ColumnCandidates {
  C* values = nullptr;
  Position<C>* columns = nullptr;
  int64_t count = 0;
  double squares = 0.0;  // Σ d² of all, where β ≠ 0
};

// How many of some values are below `low`, equal to it, between it and `high`, and equal to `high`
// (none where that is low).
template <typename C>
struct Split {
  int64_t below;
  int64_t at_low;
  int64_t between;
  int64_t at_high;
  bool has_nan;
};

// An order statistic, how many values are smaller than it and how many are equal to it.
template <typename C>
struct Ranked {
  C value;
  int64_t smaller;
  int64_t ties;
};

// The largest of some weights, and whether each is one: finite, and at least 0.
struct WeightExtent {
  double largest;
  bool are_weights;
};

// How much of some values, each by how often it counts, is below `low`, equal to it, between it and
// `high`, equal to `high` (none where that is low), and above; NaN is none of these. What is
// between goes where the pointers point, and they behind it.
template <typename C, typename W>
struct WeightedSplit {
  int64_t below = 0;
  int64_t at_low = 0;
  int64_t between = 0;
  int64_t at_high = 0;
  int64_t above = 0;
  bool has_nan = false;
  C* values = nullptr;
  W* weights = nullptr;
};

// Where to look for the ends of a range, one of them or both. The lower bracket is below the upper.
template <typename C>
struct RangeBrackets {
  struct Ends {
    C low;
    C high;
  };
  Ends lower;
  Ends upper;
  bool has_lower;
  bool has_upper;
};

// Of some values: how many are below the lower bracket, above the upper and in one of them (or
// NaN), and the sum of all others.
struct RangeSplit {
  int64_t below;
  int64_t above;
  int64_t kept;
  double sum;
};

// Which of a network's order statistics end a range: the first the lower end, the last the upper.
template <typename C>
struct ShortRange {
  bool open_below;
  bool open_above;
  C at_most;  // the lower end
};

// A range's ends (NaN: open) and the sum of what is strictly between them.
template <typename C>
struct ColumnRange {
  Ranked<C> lower;
  Ranked<C> upper;
  double sum;
  bool has_nan;
};

// The upstream gradient: factor times one number for all, or times one per element.
template <typename T>
struct Upstream {
  const T* values;
  bool each;
  double factor;
};

// Inputs side by side; without a mask all are valid.
template <typename T>
struct Elements {
  const T* y_true;
  const T* y_pred;
  const bool* mask;  // true: valid

  Elements from(int64_t i) const {
    return {y_true + i, y_pred + i, mask == nullptr ? nullptr : mask + i};
  }
};

template <typename T>
struct Loops {
  using C = ComputeType<T>;

  // How many are ignored. The second also copies both inputs, with zeros for those that are. The
  // third copies the others, one behind the other, and returns how many they are; there is room for
  // kSlack more. Copies may be over the inputs. The last two write zeros over ignored elements'
  // results.
  int64_t (*count_ignored)(const Elements<T>&, int64_t n, const Ignore<C>&);
  int64_t (*zero_ignored)(const Elements<T>&, int64_t n, const Ignore<C>&, T* y_true, T* y_pred);
  int64_t (*keep_valid)(const Elements<T>&, int64_t n, const Ignore<C>&, T* y_true, T* y_pred);
  void (*clear)(const Elements<T>&, int64_t n, const Ignore<C>&, T* results);
  void (*clear_wide)(const Elements<T>&, int64_t n, const Ignore<C>&, C* results);

  void (*errors)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&, C* out);
  // One pass over (a part of) a group. The second keeps all that is not below the band.
  void (*collect)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                  const Bracket<C>&, Collected<C>& found);
  void (*collect_from)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                       const Bracket<C>&, Collected<C>& found);
  // Of values in a buffer. `between` has room for n and kSlack more, `spare` for spare_length(n);
  // both may start at `values`. NaN, where there is one, is the k-th smallest.
  Split<C> (*split)(const C* values, int64_t n, C low, C high, C* between);
  Ranked<C> (*kth_smallest)(const C* values, int64_t n, int64_t k, C* spare);
  // Of `width` short columns, whose rows are `stride` apart, the elements of the ranks that the
  // network finds, column by column; how many are smaller is left out. NaN for a column with one.
  void (*ranked_columns)(const C* values, int64_t stride, int64_t width, const SelectionNetwork&,
                         Ranked<C>* found);
  // Sums over elements whose errors are known (squares stay zero), and over all of a group.
  void (*sum_errors)(const C* errors, int64_t n, const LossParameters<C>&, const Tail<C>&,
                     Sums& sums);
  void (*sum)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&, const Tail<C>&,
              Sums& sums);
  // Of each element. `out` may be y_true or y_pred. Streamed, it is written past the caches, until
  // finish_streaming().
  void (*losses)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                 const Tail<C>&, bool streamed, T* out);
  // The same to be added up.
  void (*wide_losses)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                      const Tail<C>&, C* out);
  // Σ upstream·∂L/∂t.
  ThresholdGradient (*threshold_gradient)(const T* y_true, const T* y_pred, int64_t n,
                                          const LossParameters<C>&, const Tail<C>&,
                                          const Upstream<T>&);
  // `out` as for losses.
  void (*gradient)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                   const Tail<C>&, const Ties&, const Upstream<T>&, bool streamed, T* out);
  // As ranked_columns, of the errors.
  void (*ranked_errors)(const T* y_true, const T* y_pred, int64_t stride, int64_t width,
                        const LossParameters<C>&, const SelectionNetwork&, Ranked<C>* found);
  // Of a row, each element a column: what is below band_low[i] is added to below_sum[i], the rest
  // are candidates. band_low has kSlack more than n.
  void (*column_collect)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                         const C* band_low, C* below_sum, ColumnCandidates<C>& found);
  // Adds to weighted[i] and slopes[i] what Sums has of one group, Σ d² to `squares`.
  void (*column_sum)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                     const TailColumns<C>&, C* weighted, C* slopes, double& squares);
  // Adds Σ upstream·∂L/∂t to gradients[i].
  void (*column_threshold_gradient)(const T* y_true, const T* y_pred, int64_t n,
                                    const LossParameters<C>&, const TailColumns<C>&,
                                    const Upstream<T>&, ThresholdGradient* gradients);
  // The same where element i has the threshold of column first + i.
  void (*column_losses)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                        const TailColumns<C>&, int64_t first, bool streamed, T* out);
  void (*wide_column_losses)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                             const TailColumns<C>&, int64_t first, C* out);
  void (*column_gradient)(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>&,
                          const TailColumns<C>&, int64_t first, const Upstream<T>&, bool streamed,
                          T* out);

  // For elements with weights, of either type. WeightedSplit has room for n and kSlack more.
  WeightExtent (*weight_extent)(const C* weights, int64_t n);
  void (*split_weighted)(const C* values, const float* weights, int64_t n, const WeightScale&,
                         C low, C high, WeightedSplit<C, float>& found);
  void (*split_wide_weighted)(const C* values, const double* weights, int64_t n, const WeightScale&,
                              C low, C high, WeightedSplit<C, double>& found);

  // For range means.
  int64_t (*count_true)(const bool* mask, int64_t n);
  // To `kept`, with room for n and kSlack more, where the mask is true; without one, what is no
  // NaN.
  int64_t (*take_valid)(const T* values, const bool* mask, int64_t n, C* kept);
  // `kept` as above.
  RangeSplit (*split_range)(const C* values, int64_t n, const RangeBrackets<C>&, C* kept);
  // Strictly between; a bound that is NaN bounds nothing. In float64.
  double (*sum_between)(const C* values, int64_t n, C lower, C upper);
  // Of `width` short columns, whose rows are `stride` apart.
  void (*range_columns)(const T* values, int64_t stride, int64_t width, const SelectionNetwork&,
                        const ShortRange<C>&, ColumnRange<C>* found);
  // Of each element its weight; zero where the mask, if there is one, is false. `out` as for
  // losses. The second: of each element by its own bounds and weights.
  void (*range_gradient)(const T* values, const bool* mask, int64_t n, const RangeWeights<C>&,
                         bool streamed, T* out);
  void (*range_column_gradient)(const T* values, const bool* mask, int64_t n,
                                const RangeWeights<const C*>&, bool streamed, T* out);
};

// Of the instruction set in use, for an error kind.
template <typename T>
const Loops<T>& loops_of(int error_kind);

// Those of this binary that this machine can run, the best one first. In use is the first that is
// verified, or what the environment variable TAILOPS_INSTRUCTION_SET names, or what a test has set.
std::vector<std::string> instruction_sets();
std::string instruction_set();
void set_instruction_set(const std::string& name);

}  // namespace tailops
