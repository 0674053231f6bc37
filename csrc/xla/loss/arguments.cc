#include "xla/loss/arguments.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "xla/loss/handlers.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

Arguments read_arguments(const ffi::AnyBuffer& y_true, const ffi::AnyBuffer& y_pred,
                         ffi::RemainingArgs others, const ffi::Dictionary& attributes) {
  const DictionaryReader reader(attributes);
  const Attributes read = read_call_attributes(reader);
  const std::vector<int64_t> shape = shape_of(y_pred);
  require_same_shape(shape_of(y_true), shape);
  require_dtype("y_true", y_true, y_pred.element_type());
  const size_t scheduled = scheduled_of(reader);
  const int64_t rank = reader.integer(kRankAttribute);
  const int64_t batch_dimensions = static_cast<int64_t>(shape.size()) - rank;
  if (rank < 0 || batch_dimensions < 0) {
    throw std::invalid_argument("rank=" + std::to_string(rank) + ": must be in [0, " +
                                std::to_string(shape.size()) + "] for y_pred of shape " +
                                to_string(shape));
  }
  const auto problem = shape.begin() + batch_dimensions;
  const Geometry one = make_geometry({problem, shape.end()}, read.axis, read.reduction);
  const StepNumbers* numbers = nullptr;
  if (scheduled != 0) {
    numbers = rows_of<StepNumbers>("numbers", buffer_of("numbers", others, 0), 1);
  }
  return {read.options,
          batched(one, {shape.begin(), problem}),
          numbers,
          y_pred.element_type(),
          y_true.untyped_data(),
          y_pred.untyped_data(),
          mask_of(others, shape, scheduled)};
}

}  // namespace

ForwardArguments forward_arguments(const ffi::AnyBuffer& y_true, const ffi::AnyBuffer& y_pred,
                                   ffi::RemainingArgs others, const ffi::AnyBuffer& loss,
                                   const ffi::AnyBuffer& state, const ffi::Dictionary& attributes) {
  const Arguments call = read_arguments(y_true, y_pred, others, attributes);
  return {call, data_of("loss", loss, call.dtype, call.geometry.output_shape),
          rows_of<GroupState>("state", state, call.geometry.groups())};
}

BackwardArguments backward_arguments(const ffi::AnyBuffer& upstream, const ffi::AnyBuffer& y_true,
                                     const ffi::AnyBuffer& y_pred, const ffi::AnyBuffer& state,
                                     ffi::RemainingArgs others, const ffi::AnyBuffer& gradient,
                                     const ffi::Dictionary& attributes) {
  const Arguments call = read_arguments(y_true, y_pred, others, attributes);
  return {call, data_of("upstream", upstream, call.dtype, call.geometry.output_shape),
          rows_of<GroupState>("state", state, call.geometry.groups()),
          data_of("y_pred_gradient", gradient, call.dtype, shape_of(y_pred))};
}

}  // namespace tailops
