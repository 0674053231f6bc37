#pragma once

// What an op becomes inside XLA, without XLA's headers; and no header of ours but this one is known
// to the file that needs those, which takes a minute or two to compile.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace tailops {

using Shapes = std::vector<std::vector<int64_t>>;

struct CustomCall {
  std::string target;
  std::string attributes;  // an MLIR dictionary
  Shapes outputs;
};

// The call that computes an op on inputs of these shapes, or what is wrong with them.
using Lowering = std::function<absl::StatusOr<CustomCall>(const Shapes& inputs)>;

absl::StatusOr<Lowering> lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
