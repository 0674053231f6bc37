#pragma once

// What the kernels of a union's ops share: inputs, checked, and outputs, allocated.

#include <vector>

#include "call/union.h"
#include "cpu/union/union.h"
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

// The search before a round, of so many groups; null before the first. std::invalid_argument if it
// is missing, or there is one too many.
inline absl::Status find_search(tensorflow::OpKernelContext* context, int round, int64_t groups,
                                const UnionSearch*& search) {
  tensorflow::OpInputList given;
  TF_RETURN_IF_ERROR(context->input_list("search", &given));
  const int needed = round == 0 ? 0 : 1;
  if (given.size() != needed) {
    throw std::invalid_argument(std::to_string(given.size()) + " searches in round " +
                                std::to_string(round) + ": must be " + std::to_string(needed));
  }
  search = nullptr;
  if (needed == 0) return absl::OkStatus();
  require_shape("search", dimensions(given[0].shape()), {groups, kUnionColumns});
  search = integer_rows<UnionSearch>(given[0]);
  return absl::OkStatus();
}

// What both kinds of descent do: counts in, a search out. descend(groups, columns, counts, before,
// after).
template <typename Descend>
absl::Status with_counts(tensorflow::OpKernelContext* context, int round, int key_bits,
                         const Descend& descend) {
  const std::vector<int64_t> shape = dimensions(context->input(0).shape());
  const int64_t groups = shape.empty() ? 0 : shape[0];
  const int64_t of_one = union_count_columns(key_bits, round, 1);
  const bool for_two = shape.size() == 2 && shape[1] == union_count_columns(key_bits, round, 2);
  const int64_t columns = for_two ? shape[1] : of_one;
  require_shape("counts", shape, {groups, columns});
  const UnionSearch* before = nullptr;
  TF_RETURN_IF_ERROR(find_search(context, round, groups, before));
  tensorflow::Tensor* after = nullptr;
  TF_RETURN_IF_ERROR(
      context->allocate_output(0, tensorflow::TensorShape({groups, kUnionColumns}), &after));
  descend(groups, columns, context->input(0).flat<int64_t>().data(), before,
          reinterpret_cast<UnionSearch*>(after->flat<int64_t>().data()));
  return absl::OkStatus();
}

}  // namespace tailops
