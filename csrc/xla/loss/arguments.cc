#include "xla/loss/arguments.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "xla/loss/handlers.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

// What is behind the other arguments, if anything is.
const bool* mask_of(ffi::RemainingArgs masks, const ffi::AnyBuffer& y_pred) {
  if (masks.size() == 0) return nullptr;
  require_one_mask(static_cast<int64_t>(masks.size()));
  const ffi::ErrorOr<ffi::AnyBuffer> mask = masks.get<ffi::AnyBuffer>(0);
  if (!mask) throw std::invalid_argument("mask: " + mask.error().message());
  if (mask->element_type() != ffi::PRED) {
    throw std::invalid_argument("mask of dtype " + to_string(mask->element_type()) +
                                ": must be PRED");
  }
  require_shape("mask", shape_of(*mask), shape_of(y_pred));
  return static_cast<const bool*>(mask->untyped_data());
}

// Of a buffer of any dtype.
GroupState* state_of(const ffi::AnyBuffer& buffer, const Geometry& geometry) {
  const size_t bytes = static_cast<size_t>(geometry.groups()) * sizeof(GroupState);
  if (buffer.size_bytes() != bytes) {
    throw std::invalid_argument("state of " + std::to_string(buffer.size_bytes()) +
                                " bytes: must have " + std::to_string(bytes) + ", " +
                                std::to_string(sizeof(GroupState)) + " for each of " +
                                std::to_string(geometry.groups()) + " groups");
  }
  return static_cast<GroupState*>(buffer.untyped_data());
}

Arguments read_arguments(const ffi::AnyBuffer& y_true, const ffi::AnyBuffer& y_pred,
                         ffi::RemainingArgs masks, const ffi::Dictionary& attributes) {
  const DictionaryReader reader(attributes);
  const Attributes read = read_call_attributes(reader);
  const std::vector<int64_t> shape = shape_of(y_pred);
  require_same_shape(shape_of(y_true), shape);
  require_dtype("y_true", y_true, y_pred.element_type());
  const int64_t rank = reader.integer(kRankAttribute);
  const int64_t batch_dimensions = static_cast<int64_t>(shape.size()) - rank;
  if (rank < 0 || batch_dimensions < 0) {
    throw std::invalid_argument("rank=" + std::to_string(rank) + ": must be in [0, " +
                                std::to_string(shape.size()) + "] for y_pred of shape " +
                                to_string(shape));
  }
  const auto problem = shape.begin() + batch_dimensions;
  const Geometry one = make_geometry({problem, shape.end()}, read.axis, read.reduction);
  return {read.options,          batched(one, {shape.begin(), problem}),
          y_pred.element_type(), y_true.untyped_data(),
          y_pred.untyped_data(), mask_of(masks, y_pred)};
}

}  // namespace

ForwardArguments forward_arguments(const ffi::AnyBuffer& y_true, const ffi::AnyBuffer& y_pred,
                                   ffi::RemainingArgs masks, const ffi::AnyBuffer& loss,
                                   const ffi::AnyBuffer& state, const ffi::Dictionary& attributes) {
  const Arguments call = read_arguments(y_true, y_pred, masks, attributes);
  return {call, data_of("loss", loss, call.dtype, call.geometry.output_shape),
          state_of(state, call.geometry)};
}

BackwardArguments backward_arguments(const ffi::AnyBuffer& upstream, const ffi::AnyBuffer& y_true,
                                     const ffi::AnyBuffer& y_pred, const ffi::AnyBuffer& state,
                                     ffi::RemainingArgs masks, const ffi::AnyBuffer& gradient,
                                     const ffi::Dictionary& attributes) {
  const Arguments call = read_arguments(y_true, y_pred, masks, attributes);
  return {call, data_of("upstream", upstream, call.dtype, call.geometry.output_shape),
          state_of(state, call.geometry),
          data_of("y_pred_gradient", gradient, call.dtype, shape_of(y_pred))};
}

}  // namespace tailops
