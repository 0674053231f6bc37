#include "tensorflow/shared/custom_call.h"

#include "call/geometry.h"

namespace tailops {

void require_mask(const Shapes& inputs, size_t others, const std::vector<int64_t>& shape) {
  if (inputs.size() == others) return;
  require_one("mask", static_cast<int64_t>(inputs.size() - others));
  require_shape("mask", inputs[others], shape);
}

}  // namespace tailops
