// Which room an op's custom call is made in.

#include "absl/status/status.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/loss/custom_call.h"
#include "tensorflow/quantile/attributes.h"
#include "tensorflow/quantile/custom_call.h"
#include "tensorflow/range_mean/attributes.h"
#include "tensorflow/range_mean/custom_call.h"
#include "tensorflow/shared/custom_call.h"

namespace tailops {
namespace {

constexpr struct {
  OpAndGradient ops;
  absl::StatusOr<Lowering> (*lowering)(tensorflow::OpKernelConstruction* context);
} kRooms[] = {
    {kLossOps, loss_lowering_of},
    {kSelectOps, selection_lowering_of},
    {kRangeMeanOps, range_mean_lowering_of},
};

}  // namespace

std::vector<const char*> lowered_ops() {
  std::vector<const char*> names;
  for (const auto& room : kRooms) {
    names.push_back(room.ops.op);
    names.push_back(room.ops.gradient);
  }
  return names;
}

absl::StatusOr<Lowering> lowering_of(tensorflow::OpKernelConstruction* context) {
  const std::string& op = context->def().op();
  for (const auto& room : kRooms) {
    if (room.ops.has(op)) return room.lowering(context);
  }
  return absl::InternalError(op + " has no custom call");
}

}  // namespace tailops
