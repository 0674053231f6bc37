#pragma once

// What the ops of a union share: their names, and attributes that only they have.

#include <cstdint>

#include "absl/status/status.h"
#include "call/union.h"
#include "formulas/digits.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/types.h"
#include "tensorflow/core/platform/errors.h"

namespace tailops {

constexpr const char* kUnionHistogramOp = "Tailops>UnionHistogram";
constexpr const char* kUnionDescendOp = "Tailops>UnionDescend";
constexpr const char* kUnionStateOp = "Tailops>UnionState";
constexpr const char* kUnionTailLossOp = "Tailops>UnionTailLoss";
constexpr const char* kRememberOp = "Tailops>Remember";
constexpr const char* kUnionSlopesOp = "Tailops>UnionSlopes";
constexpr const char* kUnionTailLossGradOp = "Tailops>UnionTailLossGrad";
constexpr const char* kUnionRangeDescendOp = "Tailops>UnionRangeDescend";
constexpr const char* kUnionRangeSumsOp = "Tailops>UnionRangeSums";
constexpr const char* kUnionRangeMeanOp = "Tailops>UnionRangeMean";
constexpr const char* kUnionRangeGradOp = "Tailops>UnionRangeGrad";

constexpr const char* kRoundAttribute = "round: int >= 0";
constexpr const char* kTargetsAttribute = "targets: int >= 1 = 1";
constexpr const char* kFrozenAttribute = "frozen: bool = false";
// None in the first round, one from then on.
constexpr const char* kSearchInput = "search: searches * int64";
constexpr const char* kSearchAttribute = "searches: int >= 0 = 0";

inline int key_bits_of(tensorflow::DataType type) {
  return type == tensorflow::DT_DOUBLE ? 64 : 32;
}

// Of an op; for one target, where it has no attribute that says. `Context` is one of a kernel's
// construction or of a shape function. std::invalid_argument for what is out of range.
template <typename Context>
absl::Status read_round(Context* context, UnionRound& round) {
  tensorflow::DataType type;
  int64_t number = 0;
  TF_RETURN_IF_ERROR(context->GetAttr("T", &type));
  TF_RETURN_IF_ERROR(context->GetAttr("round", &number));
  const int key_bits = key_bits_of(type);
  require_round(number, key_bits);
  round = {key_bits, static_cast<int>(number), 1};
  return absl::OkStatus();
}

template <typename Context>
absl::Status read_targets(Context* context, UnionRound& round) {
  int64_t targets = 0;
  TF_RETURN_IF_ERROR(context->GetAttr("targets", &targets));
  require_targets(targets);
  round.targets = static_cast<int>(targets);
  return absl::OkStatus();
}

}  // namespace tailops
