#pragma once

// The steps of a range mean's union as custom calls: what loss_calls.h is for those of a loss.
// Where the bounds are, in the device's memory, only the device may look.

#include "call/range_mean.h"
#include "formulas/union_range.h"
#include "xla/union/arguments.h"

namespace tailops {

struct RangeCall {
  RangeCall(const xla::ffi::AnyBuffer& bounds_in, const xla::ffi::Dictionary& attributes)
      : reader(attributes),
        options(read_range_options(reader)),
        bounds(rows_of<RangeBounds>("bounds", bounds_in, 1)) {}

  const DictionaryReader reader;
  const RangeOptions options;
  const RangeBounds* const bounds;
};

template <typename Device>
xla::ffi::Error union_range_descend_call(Device device, xla::ffi::AnyBuffer counts,
                                         xla::ffi::AnyBuffer bounds, xla::ffi::AnyBuffer search,
                                         xla::ffi::Result<xla::ffi::AnyBuffer> found,
                                         xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_range_descend", counts, [&] {
    const RangeCall call(bounds, attributes);
    const int targets = union_targets(call.options.kind);
    device.range_descend(call.options.kind, call.bounds,
                         read_descent(call.reader, targets, counts, search, *found, device));
  });
}

template <typename Device>
xla::ffi::Error union_range_sums_call(Device device, xla::ffi::AnyBuffer values,
                                      xla::ffi::AnyBuffer bounds, xla::ffi::AnyBuffer search,
                                      xla::ffi::RemainingArgs masks,
                                      xla::ffi::Result<xla::ffi::AnyBuffer> sums,
                                      xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_range_sums", values, [&] {
    const RangeCall call(bounds, attributes);
    const SelectionGeometry geometry = range_share_geometry(shape_of(values), call.options.axis);
    const bool* const mask = mask_of(masks, shape_of(values));
    const UnionSearch* const of = rows_of<UnionSearch>("search", search, geometry.groups());
    UnionRangeSums* const found = device.template room<UnionRangeSums>(geometry.groups());
    with_type(values.element_type(), [&](auto element) {
      using T = decltype(element);
      const RangeShare<T> share{static_cast<const T*>(values.untyped_data()), mask, geometry};
      device.range_sums(share, call.options.kind, call.bounds, of, found);
    });
    write_rows("sums", found, geometry.groups(), *sums, device);
  });
}

template <typename Device>
xla::ffi::Error union_range_mean_call(Device device, xla::ffi::AnyBuffer bounds,
                                      xla::ffi::AnyBuffer search, xla::ffi::AnyBuffer sums,
                                      xla::ffi::Result<xla::ffi::AnyBuffer> mean,
                                      xla::ffi::Result<xla::ffi::AnyBuffer> state,
                                      xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_range_mean", search, [&] {
    const RangeCall call(bounds, attributes);
    const int64_t groups = groups_of_search(search);
    const UnionSearch* const of = rows_of<UnionSearch>("search", search, groups);
    const UnionRangeSums* const all = read_rows<UnionRangeSums>("sums", sums, groups, device);
    RangeState* const states = rows_of<RangeState>("state", *state, groups);
    with_type(mean->element_type(), [&](auto element) {
      using T = decltype(element);
      device.range_mean(call.options.kind, call.bounds, groups, of, all,
                        rows_of<T>("mean", *mean, groups), states);
    });
  });
}

}  // namespace tailops
