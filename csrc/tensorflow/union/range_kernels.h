#pragma once

// The ops of a range mean's union: what loss_kernels.h is for those of a loss.

#include "tensorflow/range_mean/kernels.h"
#include "tensorflow/shared/register_kernels.h"
#include "tensorflow/union/kernels.h"

namespace tailops {

template <typename T>
class RangeOfUnion : public GuardedOp {
 public:
  explicit RangeOfUnion(tensorflow::OpKernelConstruction* context) : GuardedOp(context) {
    OP_REQUIRES_OK(context, read_range_attributes(context, options_));
  }

 protected:
  using Context = tensorflow::OpKernelContext;
  using Tensor = tensorflow::Tensor;

  SelectionGeometry geometry_of(const Tensor& values) const {
    return range_share_geometry(dimensions(values.shape()), options_.axis);
  }

  absl::Status find_share(Context* context, const Tensor& values,
                          RangeShare<KernelType<T>>& share) const {
    share.values = data_of<T>(values);
    share.geometry = geometry_of(values);
    return find_mask(context, values.shape(), share.mask);
  }

  static const UnionSearch* search_of(Context* context, const Groups& geometry) {
    const Tensor& search = context->input(2);
    require_shape("search", dimensions(search.shape()), {geometry.groups(), kUnionColumns});
    return integer_rows<UnionSearch>(search);
  }

  RangeOptions options_;
};

template <typename T, typename Device>
class RangeDescendOp final : public RangeOfUnion<T> {
 public:
  explicit RangeDescendOp(tensorflow::OpKernelConstruction* context) : RangeOfUnion<T>(context) {
    OP_REQUIRES_OK(context, read_round(context, round_));
  }

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    const RangeKind kind = this->options_.kind;
    const RangeBounds bounds = bounds_of(context->input(1));
    return with_counts(context, round_, union_targets(kind), [&](const auto&... of_round) {
      Device::descend(context, kind, bounds, of_round...);
    });
  }

 private:
  UnionRound round_{};
};

template <typename T, typename Device>
class RangeSumsOp final : public RangeOfUnion<T> {
 public:
  using RangeOfUnion<T>::RangeOfUnion;

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    RangeShare<KernelType<T>> share;
    TF_RETURN_IF_ERROR(this->find_share(context, context->input(0), share));
    const RangeBounds bounds = bounds_of(context->input(1));
    const UnionSearch* const search = this->search_of(context, share.geometry);
    tensorflow::Tensor* sums = nullptr;
    TF_RETURN_IF_ERROR(context->allocate_output(
        0, tensorflow::TensorShape({share.geometry.groups(), kRangeSumColumns}), &sums));
    return Device::sums(context, share, this->options_.kind, bounds, search,
                        state_of<UnionRangeSums>(sums));
  }
};

template <typename T, typename Device>
class RangeMeanOp final : public RangeOfUnion<T> {
 public:
  using RangeOfUnion<T>::RangeOfUnion;

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    const SelectionGeometry geometry = this->geometry_of(context->input(0));
    const RangeBounds bounds = bounds_of(context->input(1));
    const UnionSearch* const search = this->search_of(context, geometry);
    const tensorflow::Tensor& sums = context->input(3);
    const int64_t groups = geometry.groups();
    require_shape("sums", dimensions(sums.shape()), {groups, kRangeSumColumns});
    tensorflow::Tensor* mean = nullptr;
    tensorflow::Tensor* state = nullptr;
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, tensorflow::TensorShape(geometry.group_shape), &mean));
    TF_RETURN_IF_ERROR(
        context->allocate_output(1, tensorflow::TensorShape({groups, kRangeColumns}), &state));
    Device::mean(context, this->options_.kind, bounds, groups, search,
                 state_of<UnionRangeSums>(sums), data_of<T>(mean), state_of<RangeState>(state));
    return absl::OkStatus();
  }
};

template <typename T, typename Device>
class RangeGradOp final : public RangeOfUnion<T> {
 public:
  using RangeOfUnion<T>::RangeOfUnion;

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    const tensorflow::Tensor &values = context->input(1), &state = context->input(2);
    RangeShare<KernelType<T>> share;
    TF_RETURN_IF_ERROR(this->find_share(context, values, share));
    require_shape("upstream", dimensions(context->input(0).shape()), share.geometry.group_shape);
    require_shape("state", dimensions(state.shape()), {share.geometry.groups(), kRangeColumns});
    tensorflow::Tensor* gradient = nullptr;
    TF_RETURN_IF_ERROR(
        context->forward_input_or_allocate_output({1}, 0, values.shape(), &gradient));
    Device::gradient(context, share, data_of<T>(context->input(0)), state_of<RangeState>(state),
                     data_of<T>(gradient));
    return absl::OkStatus();
  }
};

// Of every element type. `Device` is each file's own.
template <typename Device>
void register_range_of_union(const char* device) {
  constexpr const char* kBounds = "bounds";
#define TAILOPS_REGISTER(Kernel, ...)                                                    \
  {                                                                                      \
    using T = TensorType<Kernel>;                                                        \
    register_typed<RangeDescendOp<T, Device>, T>(kUnionRangeDescendOp, device, kBounds); \
    register_typed<RangeSumsOp<T, Device>, T>(kUnionRangeSumsOp, device, kBounds);       \
    register_typed<RangeMeanOp<T, Device>, T>(kUnionRangeMeanOp, device, kBounds);       \
    register_typed<RangeGradOp<T, Device>, T>(kUnionRangeGradOp, device);                \
  }
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
}

}  // namespace tailops
