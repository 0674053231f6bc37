#pragma once

// What of a union has to be inside XLA too: what a loss remembers, and the losses of a state that
// is known from elsewhere. The rest is between collectives, which XLA does not have.

#include "tensorflow/shared/custom_call.h"

namespace tailops {

absl::StatusOr<Lowering> remember_lowering_of(tensorflow::OpKernelConstruction* context);
absl::StatusOr<Lowering> union_loss_lowering_of(tensorflow::OpKernelConstruction* context);

}  // namespace tailops
