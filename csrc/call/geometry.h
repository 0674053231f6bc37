#pragma once

// How a tensor falls into groups, which share a threshold, and rows, which share an output.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "call/groups.h"

namespace tailops {

enum class Reduction {
  kNone,       // every element's loss
  kPerSample,  // mean over the last axis; the elements themselves below two dimensions
  kMean,       // mean of the per-sample losses
  kSum,        // sum of the per-sample losses
};

constexpr const char* kReductionNames[] = {"none", "per_sample", "mean", "sum"};

std::vector<std::string> reduction_names();

// Output r is mean_factor times the sum over the row_length elements from r·row_length: the sum of
// the means of each sample_length of them.
struct Geometry : Groups {
  int64_t row_length = 1;
  int64_t sample_length = 1;
  double mean_factor = 1.0;  // where row_length is 1 as well
  std::vector<int64_t> output_shape;

  int64_t rows() const { return size() / row_length; }
  bool reduces_to_scalar() const { return row_length == size(); }
  bool rows_are_means() const { return row_length == sample_length; }
};

// Throws std::invalid_argument for an empty shape or an axis out of range. No axis: one group.
Geometry make_geometry(const std::vector<int64_t>& shape, std::optional<int64_t> axis,
                       Reduction reduction);

// The geometry of every slice along leading dimensions of these sizes: that of one slice, repeated.
Geometry batched(Geometry slice, const std::vector<int64_t>& sizes);

// std::invalid_argument unless the shapes are the same.
void require_same_shape(const std::vector<int64_t>& y_true, const std::vector<int64_t>& y_pred);
// Of something that need not be given, and is.
void require_one(const char* argument, int64_t given);
void require_shape(const char* argument, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& required);

}  // namespace tailops
