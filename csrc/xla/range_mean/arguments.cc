#include "xla/range_mean/arguments.h"

namespace tailops {

namespace ffi = xla::ffi;

RangeMeanArguments read_range_mean(const ffi::AnyBuffer& values, const ffi::AnyBuffer& bounds,
                                   ffi::RemainingArgs others, const ffi::AnyBuffer& mean,
                                   const ffi::AnyBuffer& state, const ffi::Dictionary& attributes) {
  RangeMeanArguments call;
  call.options = read_range_options(DictionaryReader(attributes));
  call.geometry = range_geometry(shape_of(values), call.options);
  call.bounds = rows_of<RangeBounds>("bounds", bounds, 1);
  if (others.size() == 0 || buffer_of("mask", others, 0).element_type() == ffi::PRED) {
    call.mask = mask_of(others, shape_of(values));
  } else {
    call.mask = nullptr;
    call.weights = weights_of(others, shape_of(values));
    require_range_of_weights(call.options.kind, false);
  }
  call.mean = data_of("mean", mean, values.element_type(), call.geometry.group_shape);
  call.state = rows_of<RangeState>("state", state, call.geometry.groups());
  return call;
}

RangeMeanGradArguments read_range_mean_grad(const ffi::AnyBuffer& upstream,
                                            const ffi::AnyBuffer& values,
                                            const ffi::AnyBuffer& state, ffi::RemainingArgs masks,
                                            const ffi::AnyBuffer& gradient,
                                            const ffi::Dictionary& attributes) {
  RangeMeanGradArguments call;
  call.geometry =
      range_geometry(shape_of(values), read_range_options(DictionaryReader(attributes)));
  call.upstream = data_of("upstream", upstream, values.element_type(), call.geometry.group_shape);
  call.state = rows_of<RangeState>("state", state, call.geometry.groups());
  call.mask = mask_of(masks, shape_of(values));
  call.gradient = data_of("gradient", gradient, values.element_type(), shape_of(values));
  return call;
}

}  // namespace tailops
