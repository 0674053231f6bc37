// The steps of a range mean's union.

#include "cpu/union/union.h"
#include "xla/shared/pool_executor.h"
#include "xla/union/arguments.h"
#include "xla/union/handlers.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

struct RangeCall {
  RangeCall(const ffi::AnyBuffer& bounds_in, const ffi::Dictionary& attributes)
      : reader(attributes),
        options(read_range_options(reader)),
        bounds(*rows_of<RangeBounds>("bounds", bounds_in, 1)) {}

  const DictionaryReader reader;
  const RangeOptions options;
  const RangeBounds bounds;
};

ffi::Error descend_call(ffi::AnyBuffer counts, ffi::AnyBuffer bounds, ffi::AnyBuffer search,
                        ffi::Result<ffi::AnyBuffer> found, ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_range_descend", counts, [&] {
    const RangeCall range(bounds, attributes);
    const DescentArguments call = read_descent(range.reader, counts, search, *found);
    union_range_descend(range.options.kind, range.bounds, call.round.key_bits, call.round.number,
                        call.groups, call.columns, call.counts.data(), call.before, call.after);
  });
}

ffi::Error sums_call(ffi::ThreadPool pool, ffi::AnyBuffer values, ffi::AnyBuffer bounds,
                     ffi::AnyBuffer search, ffi::RemainingArgs masks,
                     ffi::Result<ffi::AnyBuffer> sums, ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_range_sums", values, [&] {
    const RangeCall range(bounds, attributes);
    const SelectionGeometry geometry = range_share_geometry(shape_of(values), range.options.axis);
    const bool* const mask = mask_of(masks, shape_of(values));
    const UnionSearch* const of = rows_of<UnionSearch>("search", search, geometry.groups());
    std::vector<UnionRangeSums> found(static_cast<size_t>(geometry.groups()));
    with_type(values.element_type(), [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      union_range_sums(static_cast<const T*>(values.untyped_data()), mask, geometry,
                       range.options.kind, range.bounds, of, found.data(), executor);
    });
    write_parts("sums", found, *sums);
  });
}

ffi::Error mean_call(ffi::AnyBuffer bounds, ffi::AnyBuffer search, ffi::AnyBuffer sums,
                     ffi::Result<ffi::AnyBuffer> mean, ffi::Result<ffi::AnyBuffer> state,
                     ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_range_mean", search, [&] {
    const RangeCall range(bounds, attributes);
    const int64_t groups = groups_of_search(search);
    const UnionSearch* const of = rows_of<UnionSearch>("search", search, groups);
    const std::vector<UnionRangeSums> all = rows_of_parts<UnionRangeSums>("sums", sums, groups);
    RangeState* const states = rows_of<RangeState>("state", *state, groups);
    with_type(mean->element_type(), [&](auto element) {
      using T = decltype(element);
      union_range_mean(range.options.kind, range.bounds, groups, of, all.data(),
                       rows_of<T>("mean", *mean, groups), states);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_range_descend_host, tailops::descend_call,
                              xla::ffi::Ffi::Bind()
                                  .Arg<xla::ffi::AnyBuffer>()  // counts
                                  .Arg<xla::ffi::AnyBuffer>()  // bounds
                                  .Arg<xla::ffi::AnyBuffer>()  // search
                                  .Ret<xla::ffi::AnyBuffer>()  // search
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_range_sums_host, tailops::sums_call,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // values
                                  .Arg<xla::ffi::AnyBuffer>()  // bounds
                                  .Arg<xla::ffi::AnyBuffer>()  // search
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // sums
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_range_mean_host, tailops::mean_call,
                              xla::ffi::Ffi::Bind()
                                  .Arg<xla::ffi::AnyBuffer>()  // bounds
                                  .Arg<xla::ffi::AnyBuffer>()  // search
                                  .Arg<xla::ffi::AnyBuffer>()  // sums
                                  .Ret<xla::ffi::AnyBuffer>()  // mean
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());
