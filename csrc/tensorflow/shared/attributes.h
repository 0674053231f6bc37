#pragma once

// How attributes that several ops have are defined, and read.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace tailops {

// "name: {'first', 'second'} = 'first'"
std::string choice_attribute(const std::string& name, const std::vector<std::string>& choices,
                             const std::string& default_choice);

constexpr const char* kAxisAttribute = "axis: list(int) = []";

// std::invalid_argument if there is more than one.
absl::Status read_axis(tensorflow::OpKernelConstruction* context, std::optional<int64_t>& axis);

// "mask: masks * bool": none or one, which is the last input.
tensorflow::register_op::OpDefBuilderWrapper& with_mask(
    tensorflow::register_op::OpDefBuilderWrapper& op);

// "weights: weight_arrays * W": none or one, which is the last input.
tensorflow::register_op::OpDefBuilderWrapper& with_weights_input(
    tensorflow::register_op::OpDefBuilderWrapper& op);

}  // namespace tailops
