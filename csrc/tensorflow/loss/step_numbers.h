#pragma once

// The options of one call of an op, of which some numbers may be an input.

#include "call/options.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/loss/attributes.h"
#include "tensorflow/shared/kernel_types.h"

namespace tailops {

// std::invalid_argument if the numbers are not of their shape, or one is out of range.
inline absl::Status find_options(tensorflow::OpKernelContext* context, const Options& known,
                                 Options& options) {
  tensorflow::OpInputList given;
  TF_RETURN_IF_ERROR(context->input_list(kStepNumbersInput, &given));
  options = known;
  if (given.size() == 0) return absl::OkStatus();
  require_one(kStepNumbersInput, given.size());
  require_shape(kStepNumbersInput, dimensions(given[0].shape()), {kStepNumbers});
  options = with_numbers(known, *state_of<StepNumbers>(given[0]));
  return absl::OkStatus();
}

}  // namespace tailops
