#pragma once

// The tail loss's part of shared/custom_call.h.

#include "tensorflow/shared/custom_call.h"

namespace tailops {

// What comes behind the other inputs, of which there are `others`: numbers, if they are scheduled,
// and a mask, if there is one. std::invalid_argument unless they are of their shapes.
void require_numbers_and_mask(const Shapes& inputs, size_t others, int64_t scheduled,
                              const std::vector<int64_t>& shape);

absl::StatusOr<Lowering> loss_lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
