#pragma once

// The attributes that the forward and the backward op share.

#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "kernels/attributes.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace tailops {

tensorflow::register_op::OpDefBuilderWrapper& with_attributes(
    tensorflow::register_op::OpDefBuilderWrapper& op);

absl::Status read_attributes(tensorflow::OpKernelConstruction* context, Attributes& attributes);

// What the kernels throw about their arguments, as a status that names the op.
template <typename Body>
absl::Status invalid_argument_if_thrown(const std::string& op, const Body& body) {
  try {
    body();
  } catch (const std::invalid_argument& problem) {
    return absl::InvalidArgumentError(op + ": " + problem.what());
  }
  return absl::OkStatus();
}

}  // namespace tailops
