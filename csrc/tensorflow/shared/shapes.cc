#include "tensorflow/shared/shapes.h"

#include <cstdint>
#include <string>
#include <vector>

#include "tensorflow/core/platform/errors.h"

namespace tailops {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status group_shape(InferenceContext* c, ShapeHandle input, ShapeHandle* groups,
                         DimensionHandle* count) {
  std::vector<int64_t> axis;
  TF_RETURN_IF_ERROR(c->GetAttr("axis", &axis));
  if (axis.empty()) {
    *groups = c->Scalar();
    *count = c->MakeDim(1);
    return absl::OkStatus();
  }
  *groups = c->UnknownShape();
  *count = c->UnknownDim();
  // An attribute that is wrong by itself is the kernel's to report.
  if (axis.size() > 1 || !c->RankKnown(input)) return absl::OkStatus();
  const int64_t rank = c->Rank(input), along = axis[0] < 0 ? axis[0] + rank : axis[0];
  if (along < 0 || along >= rank) {
    return absl::InvalidArgumentError("axis=" + std::to_string(axis[0]) + ": must be in [" +
                                      std::to_string(-rank) + ", " + std::to_string(rank) +
                                      ") for an input of shape " + c->DebugString(input));
  }
  ShapeHandle before, after;
  TF_RETURN_IF_ERROR(c->Subshape(input, 0, along, &before));
  TF_RETURN_IF_ERROR(c->Subshape(input, along + 1, &after));
  TF_RETURN_IF_ERROR(c->Concatenate(before, after, groups));
  *count = c->MakeDim(1);
  for (int i = 0; i < c->Rank(*groups); ++i) {
    TF_RETURN_IF_ERROR(c->Multiply(*count, c->Dim(*groups, i), count));
  }
  return absl::OkStatus();
}

namespace {

absl::Status merge_list(InferenceContext* c, const char* name, ShapeHandle* input) {
  std::vector<ShapeHandle> given;
  TF_RETURN_IF_ERROR(c->input(name, &given));
  if (given.empty()) return absl::OkStatus();
  return c->Merge(given[0], *input, input);
}

}  // namespace

absl::Status merge_mask(InferenceContext* c, ShapeHandle* input) {
  return merge_list(c, "mask", input);
}

absl::Status merge_weights(InferenceContext* c, ShapeHandle* input) {
  return merge_list(c, "weights", input);
}

}  // namespace tailops
