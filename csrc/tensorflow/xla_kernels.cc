// The ops inside XLA: each becomes a custom call. XLA's headers are what takes so long to compile:
// everything that can be elsewhere is in custom_call.cc.

#include <vector>

#include "tensorflow/compiler/tf2xla/xla_op_kernel.h"
#include "tensorflow/compiler/tf2xla/xla_op_registry.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/shared/custom_call.h"
#include "tensorflow/shared/guarded_op.h"
#include "xla/hlo/builder/xla_builder.h"
#include "xla/shape_util.h"

namespace tailops {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::XlaOpKernel;
using tensorflow::XlaOpKernelContext;

class CustomCallOp final : public XlaOpKernel {
 public:
  explicit CustomCallOp(OpKernelConstruction* context) : XlaOpKernel(context) {
    absl::StatusOr<Lowering> lowering = lowering_of(context);
    OP_REQUIRES_OK(context, lowering.status());
    lowering_ = *std::move(lowering);
  }

  void Compile(XlaOpKernelContext* context) override {
    OP_REQUIRES_OK(context, status_of(type_string(), [&] { return compile(context); }));
  }

 private:
  absl::Status compile(XlaOpKernelContext* context) const {
    std::vector<xla::XlaOp> operands;
    std::vector<xla::Shape> operand_shapes;
    Shapes sizes;
    for (int i = 0; i < context->num_inputs(); ++i) {
      const absl::StatusOr<xla::Shape> shape = context->InputXlaShape(i);
      TF_RETURN_IF_ERROR(shape.status());
      if (!shape->is_static()) {
        return absl::UnimplementedError(type_string() + ": input " + std::to_string(i) +
                                        " has the shape " + shape->ToString() +
                                        ", which only run time knows: inside XLA it must be known "
                                        "when it compiles");
      }
      operands.push_back(context->Input(i));
      sizes.emplace_back(shape->dimensions().begin(), shape->dimensions().end());
      operand_shapes.push_back(row_major(context->input_xla_type(i), sizes.back()));
    }
    const CustomCall call = lowering_(sizes);

    std::vector<xla::Shape> outputs;
    for (const std::vector<int64_t>& output : call.outputs) {
      const int index = static_cast<int>(outputs.size());
      outputs.push_back(row_major(context->output_xla_type(index), output));
    }
    const xla::XlaOp results = xla::CustomCallWithLayout(
        context->builder(), call.target, operands, xla::ShapeUtil::MakeTupleShape(outputs),
        operand_shapes, call.attributes, /*has_side_effect=*/false,
        /*output_operand_aliasing=*/{}, /*literal=*/nullptr, xla::CustomCallSchedule::SCHEDULE_NONE,
        xla::CustomCallApiVersion::API_VERSION_TYPED_FFI);
    for (int i = 0; i < context->num_outputs(); ++i) {
      context->SetOutput(i, xla::GetTupleElement(results, i));
    }
    return absl::OkStatus();
  }

  static xla::Shape row_major(xla::PrimitiveType type, const std::vector<int64_t>& sizes) {
    return xla::ShapeUtil::MakeShapeWithDescendingLayout(type, sizes);
  }

  Lowering lowering_;
};

// Not REGISTER_XLA_OP: what that registers after the process has first compiled something is never
// looked at, and tailops may be imported in the middle of a notebook.
const bool registered = [] {
  using tensorflow::register_kernel::Name;
  for (const char* op : lowered_ops()) {
    register_kernel<CustomCallOp>(Name(op).Device(tensorflow::DEVICE_CPU_XLA_JIT));
#if defined(TAILOPS_HAS_CUDA)
    register_kernel<CustomCallOp>(Name(op).Device(tensorflow::DEVICE_GPU_XLA_JIT));
#endif
  }
  return true;
}();

}  // namespace
}  // namespace tailops
