#include "xla/quantile/arguments.h"

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

SelectionState* state_data(const ffi::AnyBuffer& state, const SelectionGeometry& geometry,
                           int64_t count) {
  return static_cast<SelectionState*>(
      data_of("state", state, ffi::F64, {geometry.groups(), kSelectionColumns * count}));
}

}  // namespace

SelectArguments read_select(const ffi::AnyBuffer& x, const ffi::AnyBuffer& q,
                            const ffi::AnyBuffer& value, const ffi::AnyBuffer& state,
                            const ffi::Dictionary& attributes) {
  SelectArguments call;
  call.options = read_options(attributes);
  call.geometry = selection_geometry(shape_of(x), call.options);
  call.q_count = static_cast<int64_t>(q.element_count());
  call.q = static_cast<const double*>(data_of("q", q, ffi::F64, shape_of(q)));
  call.value = data_of("value", value, x.element_type(), value_shape(shape_of(q), call.geometry));
  call.state = state_data(state, call.geometry, call.q_count);
  return call;
}

SelectGradArguments read_select_grad(const ffi::AnyBuffer& upstream, const ffi::AnyBuffer& x,
                                     const ffi::AnyBuffer& state, const ffi::AnyBuffer& gradient,
                                     const ffi::Dictionary& attributes) {
  SelectGradArguments call;
  call.geometry = selection_geometry(shape_of(x), read_options(attributes));
  const auto sizes = state.dimensions();
  call.q_count = sizes.size() == 2 ? sizes[1] / kSelectionColumns : 0;
  call.state = state_data(state, call.geometry, call.q_count);
  require_upstream(shape_of(upstream), call.geometry, call.q_count);
  call.upstream = data_of("upstream", upstream, x.element_type(), shape_of(upstream));
  call.gradient = data_of("gradient", gradient, x.element_type(), shape_of(x));
  return call;
}

}  // namespace tailops
