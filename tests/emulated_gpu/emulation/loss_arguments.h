#pragma once

// What an emulated call of a loss is given.

#include <cstdint>
#include <optional>
#include <vector>

#include "setting.h"

namespace tailops {

struct LossArguments {
  const void* y_true;
  const void* y_pred;
  const bool* mask;
  const void* upstream;
  void* loss;
  void* state;
  void* gradient;
  const int64_t* shape;
  int64_t dimensions;
  int64_t axis;  // −1: none
  int64_t dtype;
  int64_t reduction;
  int64_t error_kind;
  int64_t method;
  int64_t gradient_mode;
  int64_t smoothing_unit;
  int64_t selection;
  int64_t cut;  // of a union: where the first dimension is
  double percentile;
  double smoothing_factor;
  double error_scale;
  double beta;
  double epsilon;
  int64_t ignore_nan;
  int64_t has_ignore_value;
  double ignore_value;
  int64_t seed;
  LimitArguments limits;
  // out
  int64_t launches;
  int64_t workspace_bytes;
  char problem[200];
};

inline std::vector<int64_t> shape_of(const LossArguments& a) {
  return {a.shape, a.shape + a.dimensions};
}

inline std::optional<int64_t> axis_of(const LossArguments& a) {
  return a.axis < 0 ? std::nullopt : std::optional<int64_t>(a.axis);
}

}  // namespace tailops
