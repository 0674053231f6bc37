// The ops of a loss's union on the CPU.

#include "cpu/loss/given_state.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/loss/step_numbers.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/huge_pages.h"
#include "tensorflow/shared/register_kernels.h"
#include "tensorflow/union/kernels.h"

namespace tailops {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

class LossOfUnion : public GuardedOp {
 public:
  explicit LossOfUnion(OpKernelConstruction* context) : GuardedOp(context) {
    OP_REQUIRES_OK(context, read_attributes(context, attributes_));
  }

 protected:
  // Of the share that y_true and y_pred are, inputs `first` and the next; and their mask.
  absl::Status begin(OpKernelContext* context, int first, Geometry& geometry,
                     const bool*& mask) const {
    const TensorShape& shape = context->input(first + 1).shape();
    require_same_shape(dimensions(context->input(first).shape()), dimensions(shape));
    geometry = share_geometry(dimensions(shape), attributes_.axis);
    return find_mask(context, shape, mask);
  }

  // The same of inputs that are an upstream gradient, the share and its state.
  absl::Status begin_backward(OpKernelContext* context, Geometry& geometry,
                              const bool*& mask) const {
    TF_RETURN_IF_ERROR(begin(context, 1, geometry, mask));
    require_shape("upstream", dimensions(context->input(0).shape()), geometry.output_shape);
    require_shape("state", dimensions(context->input(3).shape()),
                  {geometry.groups(), kStateColumns});
    return absl::OkStatus();
  }

  absl::Status find_options(OpKernelContext* context, Options& options) const {
    return tailops::find_options(context, attributes_.options, options);
  }

  Attributes attributes_;
};

template <typename T>
class HistogramOp final : public LossOfUnion {
 public:
  explicit HistogramOp(OpKernelConstruction* context) : LossOfUnion(context) {
    int key_bits = 0;
    OP_REQUIRES_OK(context, read_round(context, round_, key_bits));
    OP_REQUIRES_OK(context, read_targets(context, targets_));
  }

  absl::Status compute(OpKernelContext* context) const override {
    Geometry geometry;
    const bool* mask = nullptr;
    const UnionSearch* search = nullptr;
    Tensor* counts = nullptr;
    TF_RETURN_IF_ERROR(begin(context, 0, geometry, mask));
    TF_RETURN_IF_ERROR(find_search(context, round_, geometry.groups(), search));
    const int64_t columns = union_count_columns(kKeyBits<KernelType<T>>, round_, targets_);
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, TensorShape({geometry.groups(), columns}), &counts));
    CpuExecutor executor(context);
    union_histogram(data_of<T>(context->input(0)), data_of<T>(context->input(1)), mask, geometry,
                    attributes_.options, round_, targets_, search,
                    reinterpret_cast<int64_t*>(counts->flat<int64_t>().data()), executor);
    return absl::OkStatus();
  }

 private:
  int round_ = 0;
  int targets_ = 1;
};

template <typename T>
class DescendOp final : public LossOfUnion {
 public:
  explicit DescendOp(OpKernelConstruction* context) : LossOfUnion(context) {
    OP_REQUIRES_OK(context, read_round(context, round_, key_bits_));
  }

  absl::Status compute(OpKernelContext* context) const override {
    Options options;
    TF_RETURN_IF_ERROR(find_options(context, options));
    return with_counts(context, round_, key_bits_,
                       [&](int64_t groups, int64_t columns, const int64_t* counts,
                           const UnionSearch* before, UnionSearch* after) {
                         union_descend(options, key_bits_, round_, groups, columns, counts, before,
                                       after);
                       });
  }

 private:
  int round_ = 0;
  int key_bits_ = 0;
};

template <typename T>
class StateOp final : public LossOfUnion {
 public:
  using LossOfUnion::LossOfUnion;

  absl::Status compute(OpKernelContext* context) const override {
    Options options;
    TF_RETURN_IF_ERROR(find_options(context, options));
    const std::vector<int64_t> shape = dimensions(context->input(0).shape());
    const int64_t groups = shape.empty() ? 0 : shape[0];
    require_shape("search", shape, {groups, kUnionColumns});
    Tensor* state = nullptr;
    TF_RETURN_IF_ERROR(context->allocate_output(0, TensorShape({groups, kStateColumns}), &state));
    union_states<KernelType<T>>(options, groups, integer_rows<UnionSearch>(context->input(0)),
                                state_of<GroupState>(state));
    return absl::OkStatus();
  }
};

template <typename T>
class LossOp final : public LossOfUnion {
 public:
  using LossOfUnion::LossOfUnion;

  absl::Status compute(OpKernelContext* context) const override {
    Options options;
    TF_RETURN_IF_ERROR(find_options(context, options));
    Geometry geometry;
    const bool* mask = nullptr;
    Tensor* loss = nullptr;
    TF_RETURN_IF_ERROR(begin(context, 0, geometry, mask));
    require_shape("state", dimensions(context->input(2).shape()),
                  {geometry.groups(), kStateColumns});
    TF_RETURN_IF_ERROR(context->allocate_output(0, context->input(1).shape(), &loss));
    ask_for_huge_pages(loss->data(), loss->TotalBytes());
    CpuExecutor executor(context);
    given_state_losses(data_of<T>(context->input(0)), data_of<T>(context->input(1)), mask,
                       state_of<GroupState>(context->input(2)), geometry, options, data_of<T>(loss),
                       executor);
    return absl::OkStatus();
  }
};

template <typename T>
class SlopesOp final : public LossOfUnion {
 public:
  using LossOfUnion::LossOfUnion;

  absl::Status compute(OpKernelContext* context) const override {
    Options options;
    TF_RETURN_IF_ERROR(find_options(context, options));
    Geometry geometry;
    const bool* mask = nullptr;
    Tensor* slopes = nullptr;
    TF_RETURN_IF_ERROR(begin_backward(context, geometry, mask));
    TF_RETURN_IF_ERROR(
        context->allocate_output(0, TensorShape({geometry.groups(), kSlopeColumns}), &slopes));
    CpuExecutor executor(context);
    given_state_slopes(data_of<T>(context->input(0)), data_of<T>(context->input(1)),
                       data_of<T>(context->input(2)), mask, state_of<GroupState>(context->input(3)),
                       geometry, options, state_of<UnionSlopes>(slopes), executor);
    return absl::OkStatus();
  }
};

template <typename T>
class GradientOp final : public LossOfUnion {
 public:
  using LossOfUnion::LossOfUnion;

  absl::Status compute(OpKernelContext* context) const override {
    Options options;
    TF_RETURN_IF_ERROR(find_options(context, options));
    Geometry geometry;
    const bool* mask = nullptr;
    Tensor* gradient = nullptr;
    tensorflow::OpInputList slopes;
    TF_RETURN_IF_ERROR(begin_backward(context, geometry, mask));
    TF_RETURN_IF_ERROR(context->input_list("slopes", &slopes));
    if (slopes.size() > 0) {
      require_one("slopes", slopes.size());
      require_shape("slopes", dimensions(slopes[0].shape()), {geometry.groups(), kSlopeColumns});
    }
    TF_RETURN_IF_ERROR(
        context->forward_input_or_allocate_output({2, 1}, 0, context->input(2).shape(), &gradient));
    CpuExecutor executor(context);
    given_state_gradient(data_of<T>(context->input(0)), data_of<T>(context->input(1)),
                         data_of<T>(context->input(2)), mask,
                         state_of<GroupState>(context->input(3)),
                         slopes.size() == 0 ? nullptr : state_of<UnionSlopes>(slopes[0]), geometry,
                         options, data_of<T>(gradient), executor);
    return absl::OkStatus();
  }
};

template <typename T>
void register_all() {
  using Tensors = TensorType<T>;
  const char* const device = tensorflow::DEVICE_CPU;
  register_typed<HistogramOp<Tensors>, Tensors>(kUnionHistogramOp, device);
  register_typed<DescendOp<Tensors>, Tensors>(kUnionDescendOp, device);
  register_typed<StateOp<Tensors>, Tensors>(kUnionStateOp, device);
  register_typed<LossOp<Tensors>, Tensors>(kUnionTailLossOp, device);
  register_typed<SlopesOp<Tensors>, Tensors>(kUnionSlopesOp, device);
  register_typed<GradientOp<Tensors>, Tensors>(kUnionTailLossGradOp, device);
}

const bool registered = [] {
#define TAILOPS_REGISTER(T, ...) register_all<T>();
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
  return true;
}();

}  // namespace
}  // namespace tailops
