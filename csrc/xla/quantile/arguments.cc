#include "xla/quantile/arguments.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "formulas/quantile_rank.h"
#include "xla/quantile/handlers.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

SelectionOptions read_options(const ffi::Dictionary& attributes) {
  const DictionaryReader reader(attributes);
  SelectionOptions options;
  options.method = static_cast<int>(read_place(reader, "method", kByRankFromTop + 1));
  options.ignore_nan = read_place(reader, "ignore_nan", 2) == 1;
  if (reader.has("axis")) options.axis = reader.integer("axis");
  return options;
}

// Of float64, or of words: two of 32 bits for each, along a last axis.
std::vector<int64_t> shape_of_q(const ffi::AnyBuffer& q) {
  std::vector<int64_t> shape = shape_of(q);
  if (q.element_type() != ffi::U32) {
    require_dtype("q", q, ffi::F64);
    return shape;
  }
  if (shape.empty() || shape.back() != 2) {
    throw std::invalid_argument("q of shape " + to_string(shape) +
                                " in words: its last axis must have the two of a float64");
  }
  shape.pop_back();
  return shape;
}

// Of float64 or of words, whatever their number.
int64_t count_of(const ffi::AnyBuffer& state) {
  const auto sizes = state.dimensions();
  if (sizes.size() != 2) return 0;
  const size_t row = static_cast<size_t>(sizes[1]) * ffi::ByteWidth(state.element_type());
  return static_cast<int64_t>(row / sizeof(SelectionState));
}

}  // namespace

SelectArguments read_select(const ffi::AnyBuffer& x, const ffi::AnyBuffer& q,
                            ffi::RemainingArgs weights, const ffi::AnyBuffer& value,
                            const ffi::AnyBuffer& state, const ffi::Dictionary& attributes) {
  SelectArguments call;
  call.options = read_options(attributes);
  call.geometry = selection_geometry(shape_of(x), call.options);
  const std::vector<int64_t> q_shape = shape_of_q(q);
  call.q_count = size_of(q_shape);
  call.q = static_cast<const double*>(q.untyped_data());
  call.weights = weights_of(weights, shape_of(x));
  if (call.weights.exist()) require_method_of_weights(call.options);
  call.value = data_of("value", value, x.element_type(), value_shape(q_shape, call.geometry));
  call.state = rows_of<SelectionState>("state", state, call.geometry.groups() * call.q_count);
  return call;
}

SelectGradArguments read_select_grad(const ffi::AnyBuffer& upstream, const ffi::AnyBuffer& x,
                                     const ffi::AnyBuffer& state, const ffi::AnyBuffer& gradient,
                                     const ffi::Dictionary& attributes) {
  SelectGradArguments call;
  call.geometry = selection_geometry(shape_of(x), read_options(attributes));
  call.q_count = count_of(state);
  call.state = rows_of<SelectionState>("state", state, call.geometry.groups() * call.q_count);
  require_upstream(shape_of(upstream), call.geometry, call.q_count);
  call.upstream = data_of("upstream", upstream, x.element_type(), shape_of(upstream));
  call.gradient = data_of("gradient", gradient, x.element_type(), shape_of(x));
  return call;
}

}  // namespace tailops
