// The steps of a loss's union.

#include "cpu/loss/given_state.h"
#include "cpu/union/union.h"
#include "xla/shared/pool_executor.h"
#include "xla/union/arguments.h"
#include "xla/union/handlers.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

// A share, and what is asked of it.
struct Share {
  Share(const ffi::AnyBuffer& y_true_in, const ffi::AnyBuffer& y_pred_in, ffi::RemainingArgs masks,
        const ffi::Dictionary& attributes)
      : Share(y_true_in, y_pred_in, masks, read_call_attributes(DictionaryReader(attributes))) {}

  Share(const ffi::AnyBuffer& y_true_in, const ffi::AnyBuffer& y_pred_in, ffi::RemainingArgs masks,
        const Attributes& attributes)
      : options(attributes.options),
        geometry(share_geometry(shape_of(y_pred_in), attributes.axis)),
        mask(mask_of(masks, shape_of(y_pred_in))),
        dtype(y_pred_in.element_type()),
        y_true(data_of("y_true", y_true_in, dtype, shape_of(y_pred_in))),
        y_pred(y_pred_in.untyped_data()) {}

  template <typename T>
  const T* targets() const {
    return static_cast<const T*>(y_true);
  }
  template <typename T>
  const T* predictions() const {
    return static_cast<const T*>(y_pred);
  }
  // Of a buffer that has an element for each of the share's.
  template <typename T>
  T* elements_of(const char* name, const ffi::AnyBuffer& buffer) const {
    return static_cast<T*>(data_of(name, buffer, dtype, geometry.output_shape));
  }

  const Options options;
  const Geometry geometry;
  const bool* const mask;
  const ffi::DataType dtype;
  const void* const y_true;
  const void* const y_pred;
};

ffi::Error histogram(ffi::ThreadPool pool, ffi::AnyBuffer y_true, ffi::AnyBuffer y_pred,
                     ffi::AnyBuffer search, ffi::RemainingArgs masks,
                     ffi::Result<ffi::AnyBuffer> counts, ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_histogram", y_pred, [&] {
    const Share share(y_true, y_pred, masks, attributes);
    const DictionaryReader reader(attributes);
    const UnionRound round = read_union_round(reader);
    const int targets = read_union_targets(reader);
    const int64_t groups = share.geometry.groups();
    std::vector<int64_t> found(
        static_cast<size_t>(groups * union_count_columns(round.key_bits, round.number, targets)));
    const UnionSearch* const before = rows_of<UnionSearch>("search", search, groups);
    with_type(share.dtype, [&](auto element) {
      using T = decltype(element);
      if (round.key_bits != kKeyBits<T>) {
        throw std::invalid_argument("key_bits=" + std::to_string(round.key_bits) + ": must be " +
                                    std::to_string(kKeyBits<T>) + " for " + to_string(share.dtype));
      }
      PoolExecutor executor(pool);
      union_histogram(share.targets<T>(), share.predictions<T>(), share.mask, share.geometry,
                      share.options, round.number, targets, before, found.data(), executor);
    });
    write_counts(found, *counts);
  });
}

ffi::Error descend_call(ffi::AnyBuffer counts, ffi::AnyBuffer search,
                        ffi::Result<ffi::AnyBuffer> found, ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_descend", counts, [&] {
    const DictionaryReader reader(attributes);
    const DescentArguments call = read_descent(reader, counts, search, *found);
    union_descend(read_call_attributes(reader).options, call.round.key_bits, call.round.number,
                  call.groups, call.columns, call.counts.data(), call.before, call.after);
  });
}

ffi::Error state_call(ffi::AnyBuffer search, ffi::Result<ffi::AnyBuffer> state,
                      ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_state", search, [&] {
    const DictionaryReader reader(attributes);
    const Options options = read_call_attributes(reader).options;
    const int64_t groups = groups_of_search(search);
    const UnionSearch* const from = rows_of<UnionSearch>("search", search, groups);
    GroupState* const to = rows_of<GroupState>("state", *state, groups);
    if (read_key_bits(reader) == 32) return union_states<float>(options, groups, from, to);
    union_states<double>(options, groups, from, to);
  });
}

ffi::Error losses(ffi::ThreadPool pool, ffi::AnyBuffer y_true, ffi::AnyBuffer y_pred,
                  ffi::AnyBuffer state, ffi::RemainingArgs masks, ffi::Result<ffi::AnyBuffer> loss,
                  ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_tail_loss", y_pred, [&] {
    const Share share(y_true, y_pred, masks, attributes);
    const GroupState* const of = rows_of<GroupState>("state", state, share.geometry.groups());
    with_type(share.dtype, [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      given_state_losses(share.targets<T>(), share.predictions<T>(), share.mask, of, share.geometry,
                         share.options, share.elements_of<T>("loss", *loss), executor);
    });
  });
}

ffi::Error slopes_call(ffi::ThreadPool pool, ffi::AnyBuffer upstream, ffi::AnyBuffer y_true,
                       ffi::AnyBuffer y_pred, ffi::AnyBuffer state, ffi::RemainingArgs masks,
                       ffi::Result<ffi::AnyBuffer> slopes, ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_slopes", y_pred, [&] {
    const Share share(y_true, y_pred, masks, attributes);
    const GroupState* const of = rows_of<GroupState>("state", state, share.geometry.groups());
    std::vector<UnionSlopes> found(static_cast<size_t>(share.geometry.groups()));
    with_type(share.dtype, [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      given_state_slopes<T>(share.elements_of<T>("upstream", upstream), share.targets<T>(),
                            share.predictions<T>(), share.mask, of, share.geometry, share.options,
                            found.data(), executor);
    });
    write_parts("slopes", found, *slopes);
  });
}

ffi::Error gradient_call(ffi::ThreadPool pool, ffi::AnyBuffer upstream, ffi::AnyBuffer y_true,
                         ffi::AnyBuffer y_pred, ffi::AnyBuffer state, ffi::AnyBuffer slopes,
                         ffi::RemainingArgs masks, ffi::Result<ffi::AnyBuffer> gradient,
                         ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_tail_loss_grad", y_pred, [&] {
    const Share share(y_true, y_pred, masks, attributes);
    const int64_t groups = share.geometry.groups();
    const GroupState* const of = rows_of<GroupState>("state", state, groups);
    const std::vector<UnionSlopes> all = rows_of_parts<UnionSlopes>("slopes", slopes, groups);
    with_type(share.dtype, [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      given_state_gradient<T>(share.elements_of<T>("upstream", upstream), share.targets<T>(),
                              share.predictions<T>(), share.mask, of, all.data(), share.geometry,
                              share.options, share.elements_of<T>("gradient", *gradient), executor);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_histogram_host, tailops::histogram,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .Arg<xla::ffi::AnyBuffer>()  // search
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // counts
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_descend_host, tailops::descend_call,
                              xla::ffi::Ffi::Bind()
                                  .Arg<xla::ffi::AnyBuffer>()  // counts
                                  .Arg<xla::ffi::AnyBuffer>()  // search
                                  .Ret<xla::ffi::AnyBuffer>()  // search
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_state_host, tailops::state_call,
                              xla::ffi::Ffi::Bind()
                                  .Arg<xla::ffi::AnyBuffer>()  // search
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_tail_loss_host, tailops::losses,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // loss
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_slopes_host, tailops::slopes_call,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // slopes
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_union_tail_loss_grad_host, tailops::gradient_call,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // y_true
                                  .Arg<xla::ffi::AnyBuffer>()  // y_pred
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .Arg<xla::ffi::AnyBuffer>()  // slopes
                                  .RemainingArgs()             // mask
                                  .Ret<xla::ffi::AnyBuffer>()  // gradient
                                  .Attrs());
