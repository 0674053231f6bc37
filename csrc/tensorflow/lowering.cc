// Which room an op's custom call is made in.

#include "tensorflow/loss/custom_call.h"
#include "tensorflow/quantile/custom_call.h"
#include "tensorflow/shared/custom_call.h"

namespace tailops {

absl::StatusOr<Lowering> lowering_of(tensorflow::OpKernelConstruction* context) {
  return is_selection(context->def().op()) ? selection_lowering_of(context)
                                           : loss_lowering_of(context);
}

}  // namespace tailops
