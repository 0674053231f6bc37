#pragma once

// What the kernels of a union's ops share: inputs, checked, and outputs, allocated.

#include <vector>

#include "call/union.h"
#include "formulas/union_search.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/shared/guarded_op.h"
#include "tensorflow/shared/kernel_types.h"
#include "tensorflow/shared/mask.h"
#include "tensorflow/union/attributes.h"

namespace tailops {

// Rows of int64 numbers, each a Row.
template <typename Row>
const Row* integer_rows(const tensorflow::Tensor& tensor) {
  return reinterpret_cast<const Row*>(tensor.flat<int64_t>().data());
}

template <typename Row>
Row* integer_rows(tensorflow::Tensor* tensor) {
  return reinterpret_cast<Row*>(tensor->flat<int64_t>().data());
}

// How many rows a matrix has; of what is none, as far as that tells.
inline int64_t rows_of(const tensorflow::Tensor& tensor) {
  return tensor.dims() == 0 ? 0 : tensor.dim_size(0);
}

// The search before a round, of so many groups; null before the first. std::invalid_argument if it
// is missing, or there is one too many.
inline absl::Status find_search(tensorflow::OpKernelContext* context, const UnionRound& round,
                                int64_t groups, const UnionSearch*& search) {
  tensorflow::OpInputList given;
  TF_RETURN_IF_ERROR(context->input_list("search", &given));
  const int needed = round.is_first() ? 0 : 1;
  if (given.size() != needed) {
    throw std::invalid_argument(std::to_string(given.size()) + " searches in round " +
                                std::to_string(round.number) + ": must be " +
                                std::to_string(needed));
  }
  search = nullptr;
  if (needed == 0) return absl::OkStatus();
  require_shape("search", dimensions(given[0].shape()), {groups, kUnionColumns});
  search = integer_rows<UnionSearch>(given[0]);
  return absl::OkStatus();
}

// What both kinds of descent do: counts in, a search out, for what may need so many targets.
// descend(round, groups, counts, before, after).
template <typename Descend>
absl::Status with_counts(tensorflow::OpKernelContext* context, UnionRound round, int targets,
                         const Descend& descend) {
  const std::vector<int64_t> shape = dimensions(context->input(0).shape());
  const int64_t groups = rows_of(context->input(0));
  round.targets = 2;
  if (shape.size() != 2 || shape[1] != round.columns()) round.targets = 1;
  require_shape("counts", shape, {groups, round.columns()});
  require_tables(round, targets);
  const UnionSearch* before = nullptr;
  TF_RETURN_IF_ERROR(find_search(context, round, groups, before));
  tensorflow::Tensor* after = nullptr;
  TF_RETURN_IF_ERROR(
      context->allocate_output(0, tensorflow::TensorShape({groups, kUnionColumns}), &after));
  descend(round, groups, integer_rows<int64_t>(context->input(0)), before,
          integer_rows<UnionSearch>(after));
  return absl::OkStatus();
}

}  // namespace tailops
