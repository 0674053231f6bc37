#pragma once

// The ops of a loss's union: inputs, checked, and outputs, allocated. What is done with them is the
// device's, whose functions cpu_kernels.cc and gpu_kernels.cc have.

#include "formulas/window.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/loss/step_numbers.h"
#include "tensorflow/shared/register_kernels.h"
#include "tensorflow/union/kernels.h"

namespace tailops {

template <typename T>
class LossOfUnion : public GuardedOp {
 public:
  explicit LossOfUnion(tensorflow::OpKernelConstruction* context) : GuardedOp(context) {
    OP_REQUIRES_OK(context, read_attributes(context, attributes_));
  }

 protected:
  using K = KernelType<T>;
  using Context = tensorflow::OpKernelContext;
  using Shape = tensorflow::TensorShape;
  using Tensor = tensorflow::Tensor;

  // Of inputs `first` and the next, which are y_true and y_pred.
  absl::Status find_share(Context* context, int first, LossShare<K>& share) const {
    const Tensor &y_true = context->input(first), &y_pred = context->input(first + 1);
    require_same_shape(dimensions(y_true.shape()), dimensions(y_pred.shape()));
    share.y_true = data_of<T>(y_true);
    share.y_pred = data_of<T>(y_pred);
    share.geometry = share_geometry(dimensions(y_pred.shape()), attributes_.axis);
    share.options = attributes_.options;
    return find_mask(context, y_pred.shape(), share.mask);
  }

  absl::Status find_options(Context* context, Options& options) const {
    return tailops::find_options(context, attributes_.options, options);
  }

  // What input `number` is.
  static const GroupState* state_in(Context* context, int number, int64_t groups) {
    const Tensor& state = context->input(number);
    require_shape("state", dimensions(state.shape()), {groups, kStateColumns});
    return state_of<GroupState>(state);
  }

  // Of inputs that are an upstream gradient, the share and its state.
  absl::Status begin_backward(Context* context, LossShare<K>& share,
                              const GroupState*& state) const {
    TF_RETURN_IF_ERROR(find_share(context, 1, share));
    TF_RETURN_IF_ERROR(find_options(context, share.options));
    require_shape("upstream", dimensions(context->input(0).shape()), share.geometry.output_shape);
    state = state_in(context, 3, share.geometry.groups());
    return absl::OkStatus();
  }

 private:
  Attributes attributes_;
};

template <typename T, typename Device>
class HistogramOp final : public LossOfUnion<T> {
 public:
  explicit HistogramOp(tensorflow::OpKernelConstruction* context) : LossOfUnion<T>(context) {
    OP_REQUIRES_OK(context, read_round(context, round_));
    OP_REQUIRES_OK(context, read_targets(context, round_));
  }

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    LossShare<KernelType<T>> share;
    TF_RETURN_IF_ERROR(this->find_share(context, 0, share));
    const int64_t groups = share.geometry.groups();
    const UnionSearch* search = nullptr;
    tensorflow::Tensor* counts = nullptr;
    TF_RETURN_IF_ERROR(find_search(context, round_, groups, search));
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, tensorflow::TensorShape({groups, round_.columns()}), &counts));
    Device::histogram(context, share, round_, search, integer_rows<int64_t>(counts));
    return absl::OkStatus();
  }

 private:
  UnionRound round_{};
};

template <typename T, typename Device>
class DescendOp final : public LossOfUnion<T> {
 public:
  explicit DescendOp(tensorflow::OpKernelConstruction* context) : LossOfUnion<T>(context) {
    OP_REQUIRES_OK(context, read_round(context, round_));
  }

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    Options options;
    TF_RETURN_IF_ERROR(this->find_options(context, options));
    return with_counts(context, round_, union_targets(options), [&](const auto&... of_round) {
      Device::descend(context, options, of_round...);
    });
  }

 private:
  UnionRound round_{};
};

template <typename T, typename Device>
class StateOp final : public LossOfUnion<T> {
 public:
  using LossOfUnion<T>::LossOfUnion;

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    Options options;
    TF_RETURN_IF_ERROR(this->find_options(context, options));
    const tensorflow::Tensor& search = context->input(0);
    const int64_t groups = rows_of(search);
    require_shape("search", dimensions(search.shape()), {groups, kUnionColumns});
    tensorflow::Tensor* state = nullptr;
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, tensorflow::TensorShape({groups, kStateColumns}), &state));
    Device::template states<KernelType<T>>(
        context, options, groups, integer_rows<UnionSearch>(search), state_of<GroupState>(state));
    return absl::OkStatus();
  }
};

template <typename T, typename Device>
class LossOp final : public LossOfUnion<T> {
 public:
  using LossOfUnion<T>::LossOfUnion;

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    LossShare<KernelType<T>> share;
    TF_RETURN_IF_ERROR(this->find_share(context, 0, share));
    TF_RETURN_IF_ERROR(this->find_options(context, share.options));
    const GroupState* const state = this->state_in(context, 2, share.geometry.groups());
    tensorflow::Tensor* loss = nullptr;
    TF_RETURN_IF_ERROR(context->allocate_output(0, context->input(1).shape(), &loss));
    Device::losses(context, share, state, data_of<T>(loss));
    return absl::OkStatus();
  }
};

template <typename T, typename Device>
class RememberOp final : public LossOfUnion<T> {
 public:
  explicit RememberOp(tensorflow::OpKernelConstruction* context) : LossOfUnion<T>(context) {
    OP_REQUIRES_OK(context, context->GetAttr("frozen", &frozen_));
    tensorflow::DataType type;
    OP_REQUIRES_OK(context, context->GetAttr("W", &type));
    const tensorflow::DataType needed = tensorflow::DataTypeToEnum<C>::v();
    OP_REQUIRES(context, type == needed,
                absl::InvalidArgumentError("window of dtype " + tensorflow::DataTypeString(type) +
                                           ": must be " + tensorflow::DataTypeString(needed)));
  }

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    LossShare<KernelType<T>> batch;
    TF_RETURN_IF_ERROR(this->find_share(context, 0, batch));
    const tensorflow::Tensor &window = context->input(2), &written = context->input(3);
    require_window(dimensions(window.shape()), batch.geometry);
    require_shape("written", dimensions(written.shape()), {});
    tensorflow::Tensor *window_after = nullptr, *written_after = nullptr;
    TF_RETURN_IF_ERROR(
        context->forward_input_or_allocate_output({2}, 0, window.shape(), &window_after));
    TF_RETURN_IF_ERROR(context->allocate_output(1, written.shape(), &written_after));
    const int64_t size = window.NumElements();
    Device::remember(context, batch, {data_of<C>(window), data_of<C>(written), size}, frozen_,
                     {data_of<C>(window_after), data_of<C>(written_after), size});
    return absl::OkStatus();
  }

 private:
  using C = ComputeType<KernelType<T>>;

  bool frozen_ = false;
};

template <typename T, typename Device>
class SlopesOp final : public LossOfUnion<T> {
 public:
  using LossOfUnion<T>::LossOfUnion;

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    LossShare<KernelType<T>> share;
    const GroupState* state = nullptr;
    tensorflow::Tensor* slopes = nullptr;
    TF_RETURN_IF_ERROR(this->begin_backward(context, share, state));
    TF_RETURN_IF_ERROR(context->allocate_output(
        0, tensorflow::TensorShape({share.geometry.groups(), kSlopeColumns}), &slopes));
    return Device::slopes(context, share, data_of<T>(context->input(0)), state,
                          state_of<UnionSlopes>(slopes));
  }
};

template <typename T, typename Device>
class GradientOp final : public LossOfUnion<T> {
 public:
  using LossOfUnion<T>::LossOfUnion;

  absl::Status compute(tensorflow::OpKernelContext* context) const override {
    LossShare<KernelType<T>> share;
    const GroupState* state = nullptr;
    tensorflow::Tensor* gradient = nullptr;
    tensorflow::OpInputList slopes;
    TF_RETURN_IF_ERROR(this->begin_backward(context, share, state));
    TF_RETURN_IF_ERROR(context->input_list("slopes", &slopes));
    if (slopes.size() > 0) {
      require_one("slopes", slopes.size());
      require_shape("slopes", dimensions(slopes[0].shape()),
                    {share.geometry.groups(), kSlopeColumns});
    }
    TF_RETURN_IF_ERROR(
        context->forward_input_or_allocate_output({2, 1}, 0, context->input(2).shape(), &gradient));
    return Device::gradient(context, share, data_of<T>(context->input(0)), state,
                            slopes.size() == 0 ? nullptr : state_of<UnionSlopes>(slopes[0]),
                            data_of<T>(gradient));
  }
};

// Of every element type. `Device` is each file's own.
template <typename Device>
void register_loss_of_union(const char* device) {
#define TAILOPS_REGISTER(Kernel, ...)                                                          \
  {                                                                                            \
    using T = TensorType<Kernel>;                                                              \
    register_typed<HistogramOp<T, Device>, T>(kUnionHistogramOp, device);                      \
    register_typed<DescendOp<T, Device>, T>(kUnionDescendOp, device, kStepNumbersInput);       \
    register_typed<StateOp<T, Device>, T>(kUnionStateOp, device, kStepNumbersInput);           \
    register_typed<LossOp<T, Device>, T>(kUnionTailLossOp, device, kStepNumbersInput);         \
    register_typed<RememberOp<T, Device>, T>(kRememberOp, device);                             \
    register_typed<SlopesOp<T, Device>, T>(kUnionSlopesOp, device, kStepNumbersInput);         \
    register_typed<GradientOp<T, Device>, T>(kUnionTailLossGradOp, device, kStepNumbersInput); \
  }
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
}

}  // namespace tailops
