#pragma once

// What a selection is asked for, by whoever asks: its shape, its method, its q.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "call/groups.h"
#include "formulas/quantile_rank.h"
#include "formulas/whole_weights.h"

namespace tailops {

struct SelectionGeometry : Groups {
  std::vector<int64_t> group_shape;  // the shape without the axis
};

struct SelectionOptions {
  int method = 0;               // place in selection_methods()
  bool ignore_nan = false;      // otherwise a NaN is the result of its group
  std::optional<int64_t> axis;  // none: one group
};

// The rank rules of a quantile; and "rank" and "rank_from_top", by which q is itself a 0-based
// rank, in ascending or in descending order.
std::vector<std::string> selection_methods();

// The method's place; std::invalid_argument if there is none of this name.
int selection_method(const std::string& name);

// Those by which the value may lie between two elements.
std::vector<std::string> interpolating_methods();

// Those that there may be weights with.
std::vector<std::string> methods_of_weights();

// std::invalid_argument if the method interpolates: what lies between two integers may be none.
// Inline, since the library of the CUDA launches is linked without the kernels of the CPU.
inline void require_method_of_integers(const SelectionOptions& options, const std::string& dtype) {
  if (!interpolates(options.method)) return;
  std::string allowed;
  for (int method = 0; method < kQuantileMethods; ++method) {
    if (!interpolates(method)) allowed += "'" + std::string(kRankRules[method].name) + "', ";
  }
  throw std::invalid_argument("method='" + std::string(kRankRules[options.method].name) + "' of " +
                              dtype + ": interpolates, so of integers it must be one of " +
                              allowed + "'rank', 'rank_from_top'");
}

template <typename T>
void require_method_of(const SelectionOptions& options) {
  if constexpr (std::is_integral_v<T>) {
    const std::string name = std::is_signed_v<T> ? "int" : "uint";
    require_method_of_integers(options, name + std::to_string(8 * sizeof(T)));
  }
}

// std::invalid_argument if the method asks how many elements there are, where they have weights.
inline void require_method_of_weights(const SelectionOptions& options) {
  if (may_have_weights(options.method)) return;
  const char* const name = is_by_rank(options.method) ? "rank" : kRankRules[options.method].name;
  throw std::invalid_argument("method='" + std::string(name) + "' with weights: must be '" +
                              kRankRules[kInvertedCdf].name + "' or '" + kRankRules[kFloor].name +
                              "'");
}

// std::invalid_argument if a q is out of range for rows of so many elements.
void require_selectable(const SelectionOptions& options, const double* q, int64_t q_count,
                        int64_t length);

// std::invalid_argument if there is no such axis, or nothing along it.
SelectionGeometry selection_geometry(const std::vector<int64_t>& shape,
                                     const SelectionOptions& options);

// The shape of the values: q's, which is () or (count,), and the groups'.
std::vector<int64_t> value_shape(const std::vector<int64_t>& q_shape,
                                 const SelectionGeometry& geometry);

// std::invalid_argument unless these are gradients of the values of `count` quantiles, or of one.
void require_upstream(const std::vector<int64_t>& shape, const SelectionGeometry& geometry,
                      int64_t count);

}  // namespace tailops
