#pragma once

// What an op becomes inside XLA, without XLA's headers. The file that needs those takes a minute or
// two to compile: of ours it knows this header and how to guard an op, and no other.

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

// The call that computes an op on inputs of these shapes; std::invalid_argument says what is wrong
// with them.
using Lowering = std::function<CustomCall(const Shapes& inputs)>;

// What comes behind the other inputs, if anything does. std::invalid_argument unless it is one mask
// of this shape.
void require_mask(const Shapes& inputs, size_t others, const std::vector<int64_t>& shape);

// The ops that become one.
std::vector<const char*> lowered_ops();

// May throw as well.
absl::StatusOr<Lowering> lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
