// The ops of a range mean's union on the CPU.

#include "cpu/range_mean/range_mean.h"
#include "tensorflow/range_mean/kernels.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/register_kernels.h"
#include "tensorflow/union/kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

class RangeOfUnion : public GuardedOp {
 public:
  explicit RangeOfUnion(OpKernelConstruction* context) : GuardedOp(context) {
    OP_REQUIRES_OK(context, read_range_attributes(context, options_));
  }

 protected:
  SelectionGeometry geometry_of(const Tensor& values) const {
    return range_share_geometry(dimensions(values.shape()), options_.axis);
  }

  static const UnionSearch* search_of(OpKernelContext* context, const Groups& geometry) {
    const Tensor& search = context->input(2);
    require_shape("search", dimensions(search.shape()), {geometry.groups(), kUnionColumns});
    return integer_rows<UnionSearch>(search);
  }

  RangeOptions options_;
};

template <typename T>
class RangeDescendOp final : public RangeOfUnion {
 public:
  explicit RangeDescendOp(OpKernelConstruction* context) : RangeOfUnion(context) {
    OP_REQUIRES_OK(context, read_round(context, round_, key_bits_));
  }

  absl::Status compute(OpKernelContext* context) const override {
    const RangeBounds bounds = bounds_of(context->input(1));
    return with_counts(context, round_, key_bits_,
                       [&](int64_t groups, int64_t columns, const int64_t* counts,
                           const UnionSearch* before, UnionSearch* after) {
                         union_range_descend(options_.kind, bounds, key_bits_, round_, groups,
                                             columns, counts, before, after);
                       });
  }

 private:
  int round_ = 0;
  int key_bits_ = 0;
};

template <typename T>
class RangeSumsOp final : public RangeOfUnion {
 public:
  using RangeOfUnion::RangeOfUnion;

  absl::Status compute(OpKernelContext* context) const override {
    const Tensor& values = context->input(0);
    const SelectionGeometry geometry = geometry_of(values);
    const RangeBounds bounds = bounds_of(context->input(1));
    const UnionSearch* const search = search_of(context, geometry);
    const bool* mask = nullptr;
    Tensor* sums = nullptr;
    TF_RETURN_IF_ERROR(find_mask(context, values.shape(), mask));
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, TensorShape({geometry.groups(), kRangeSumColumns}), &sums));
    CpuExecutor executor(context);
    union_range_sums(data_of<T>(values), mask, geometry, options_.kind, bounds, search,
                     state_of<UnionRangeSums>(sums), executor);
    return absl::OkStatus();
  }
};

template <typename T>
class RangeMeanOp final : public RangeOfUnion {
 public:
  using RangeOfUnion::RangeOfUnion;

  absl::Status compute(OpKernelContext* context) const override {
    const SelectionGeometry geometry = geometry_of(context->input(0));
    const RangeBounds bounds = bounds_of(context->input(1));
    const UnionSearch* const search = search_of(context, geometry);
    const Tensor& sums = context->input(3);
    require_shape("sums", dimensions(sums.shape()), {geometry.groups(), kRangeSumColumns});
    Tensor* mean = nullptr;
    Tensor* state = nullptr;
    TF_RETURN_IF_ERROR(context->allocate_output(0, TensorShape(geometry.group_shape), &mean));
    TF_RETURN_IF_ERROR(
        context->allocate_output(1, TensorShape({geometry.groups(), kRangeColumns}), &state));
    union_range_mean(options_.kind, bounds, geometry.groups(), search,
                     state_of<UnionRangeSums>(sums), data_of<T>(mean), state_of<RangeState>(state));
    return absl::OkStatus();
  }
};

template <typename T>
class RangeGradOp final : public RangeOfUnion {
 public:
  using RangeOfUnion::RangeOfUnion;

  absl::Status compute(OpKernelContext* context) const override {
    const Tensor& values = context->input(1);
    const Tensor& state = context->input(2);
    const SelectionGeometry geometry = geometry_of(values);
    require_shape("upstream", dimensions(context->input(0).shape()), geometry.group_shape);
    require_shape("state", dimensions(state.shape()), {geometry.groups(), kRangeColumns});
    const bool* mask = nullptr;
    Tensor* gradient = nullptr;
    TF_RETURN_IF_ERROR(find_mask(context, values.shape(), mask));
    TF_RETURN_IF_ERROR(
        context->forward_input_or_allocate_output({1}, 0, values.shape(), &gradient));
    CpuExecutor executor(context);
    range_mean_backward(data_of<T>(context->input(0)), data_of<T>(values), mask,
                        state_of<RangeState>(state), geometry, data_of<T>(gradient), executor);
    return absl::OkStatus();
  }
};

template <typename T>
void register_all() {
  using Tensors = TensorType<T>;
  const char* const device = tensorflow::DEVICE_CPU;
  register_typed<RangeDescendOp<Tensors>, Tensors>(kUnionRangeDescendOp, device);
  register_typed<RangeSumsOp<Tensors>, Tensors>(kUnionRangeSumsOp, device);
  register_typed<RangeMeanOp<Tensors>, Tensors>(kUnionRangeMeanOp, device);
  register_typed<RangeGradOp<Tensors>, Tensors>(kUnionRangeGradOp, device);
}

const bool registered = [] {
#define TAILOPS_REGISTER(T, ...) register_all<T>();
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
  return true;
}();

}  // namespace
}  // namespace tailops
