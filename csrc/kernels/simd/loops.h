#pragma once

// The loops over contiguous elements, each compiled once per instruction set and chosen at run
// time. Everything else of the kernels is above them and compiled once.

#include <cstdint>
#include <string>
#include <vector>

#include "../float_types.h"
#include "../gradient_mode.h"

namespace tailops {

// The options in the compute type.
template <typename C>
struct Weights {
  C kappa;
  C scale;
  C beta;
  C epsilon;
  GradientMode mode;
};

// Where a group's threshold is, as far as a sample tells: between low and high. Outside of
// [band_low, band_high] the indicator is 0 or 1 to rounding, wherever the threshold turns out to
// be.
template <typename C>
struct Bracket {
  C band_low;
  C low;
  C high;
  C band_high;
};

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

// Candidates are written a vector at a time.
constexpr int64_t kSlack = 16;

// A known threshold; lower and upper are the order statistics that it is made of.
template <typename C>
struct Tail {
  C threshold;
  C lower;
  C upper;
  C band_low;
  C band_high;
};

struct Sums {
  double weighted = 0.0;            // Σ ℓ
  double squares = 0.0;             // Σ d², where β ≠ 0
  double threshold_gradient = 0.0;  // Σ ∂L/∂t

  Sums& operator+=(const Sums& other) {
    weighted += other.weighted;
    squares += other.squares;
    threshold_gradient += other.threshold_gradient;
    return *this;
  }
};

// ∂L/∂t·∂t/∂e for an element equal to lower, and to upper.
struct Through {
  double lower;
  double upper;
};

// One threshold per element, in arrays: columns of a matrix.
template <typename C>
struct TailColumns {
  std::vector<C> threshold, lower, upper, band_low, band_high;
  std::vector<double> through_lower, through_upper;
};

// The upstream gradient: scale times one number for all, or times one per element.
template <typename T>
struct Upstream {
  const T* values;
  bool each;
  double scale;
};

template <typename T>
struct Loops {
  using C = ComputeType<T>;

  void (*errors)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&, C* out);
  void (*collect)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&, const Bracket<C>&,
                  Collected<C>& found);
  // Sums over elements whose errors are known (squares stay zero), and over all of a group.
  void (*sum_errors)(const C* errors, int64_t n, const Weights<C>&, C threshold, Sums& sums);
  void (*sum)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&, const Tail<C>&,
              Sums& sums);
  void (*losses)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&, const Tail<C>&,
                 C* out);
  // Σ upstream·∂L/∂t.
  double (*threshold_gradient)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&,
                               const Tail<C>&, const Upstream<T>&);
  void (*gradient)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&, const Tail<C>&,
                   const Upstream<T>&, const Through&, T* out);
  // The same where element i has the threshold of column first + i.
  void (*column_losses)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&,
                        const TailColumns<C>&, int64_t first, C* out);
  void (*column_gradient)(const T* y_true, const T* y_pred, int64_t n, const Weights<C>&,
                          const TailColumns<C>&, int64_t first, const Upstream<T>&, T* out);
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
