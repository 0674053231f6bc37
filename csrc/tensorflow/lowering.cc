// Which room an op's custom call is made in.

#include "absl/status/status.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/loss/custom_call.h"
#include "tensorflow/quantile/attributes.h"
#include "tensorflow/quantile/custom_call.h"
#include "tensorflow/range_mean/attributes.h"
#include "tensorflow/range_mean/custom_call.h"
#include "tensorflow/shared/custom_call.h"
#include "tensorflow/union/attributes.h"
#include "tensorflow/union/custom_call.h"

namespace tailops {
namespace {

constexpr struct {
  const char* op;
  absl::StatusOr<Lowering> (*lowering)(tensorflow::OpKernelConstruction* context);
} kOps[] = {
    {kLossOps.op, loss_lowering_of},
    {kLossOps.gradient, loss_lowering_of},
    {kSelectOps.op, selection_lowering_of},
    {kSelectOps.gradient, selection_lowering_of},
    {kRangeMeanOps.op, range_mean_lowering_of},
    {kRangeMeanOps.gradient, range_mean_lowering_of},
    {kRememberOp, remember_lowering_of},
    {kUnionTailLossOp, union_loss_lowering_of},
};

}  // namespace

std::vector<const char*> lowered_ops() {
  std::vector<const char*> names;
  for (const auto& one : kOps) names.push_back(one.op);
  return names;
}

absl::StatusOr<Lowering> lowering_of(tensorflow::OpKernelConstruction* context) {
  const std::string& op = context->def().op();
  for (const auto& one : kOps) {
    if (op == one.op) return one.lowering(context);
  }
  return absl::InternalError(op + " has no custom call");
}

}  // namespace tailops
