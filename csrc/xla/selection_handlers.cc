// The selection's handlers for platform "Host".

#include "selection_handlers.h"

#include "arguments.h"
#include "kernels/selection.h"
#include "pool_executor.h"

namespace tailops {
namespace {

namespace ffi = xla::ffi;

struct SelectionCall {
  SelectionOptions options;
  SelectionGeometry geometry;
};

SelectionCall read_call(const ffi::AnyBuffer& x, const ffi::Dictionary& attributes) {
  SelectionCall call;
  call.options.method = std::string(attribute<std::string_view>(attributes, "method"));
  call.options.ignore_nan = attribute<int64_t>(attributes, "ignore_nan") != 0;
  if (attributes.contains("axis")) call.options.axis = attribute<int64_t>(attributes, "axis");
  call.geometry = selection_geometry(shape_of(x), call.options);
  return call;
}

SelectionState* state_data(const ffi::AnyBuffer& state, const SelectionCall& call, int64_t count) {
  return static_cast<SelectionState*>(
      data_of("state", state, ffi::F64, {call.geometry.groups(), kSelectionColumns * count}));
}

// body(T{}) for what elements may be selected from.
template <typename Body>
void with_selectable_type(ffi::DataType dtype, const Body& body) {
  switch (dtype) {
    case ffi::S8:
      return body(int8_t{});
    case ffi::S16:
      return body(int16_t{});
    case ffi::S32:
      return body(int32_t{});
    case ffi::S64:
      return body(int64_t{});
    case ffi::U8:
      return body(uint8_t{});
    case ffi::U16:
      return body(uint16_t{});
    case ffi::U32:
      return body(uint32_t{});
    case ffi::U64:
      return body(uint64_t{});
    default:
      return with_type(dtype, body);
  }
}

ffi::Error select(ffi::ThreadPool pool, ffi::AnyBuffer x, ffi::AnyBuffer q,
                  ffi::Result<ffi::AnyBuffer> value, ffi::Result<ffi::AnyBuffer> state,
                  ffi::Dictionary attributes) {
  return error_if_thrown(kSelectTarget, [&] {
    const SelectionCall call = read_call(x, attributes);
    const int64_t count = static_cast<int64_t>(q.element_count());
    const void* const quantiles = data_of("q", q, ffi::F64, shape_of(q));
    void* const values =
        data_of("value", *value, x.element_type(), value_shape(shape_of(q), call.geometry));
    SelectionState* const states = state_data(*state, call, count);
    with_selectable_type(x.element_type(), [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      select_forward(static_cast<const T*>(x.untyped_data()), call.geometry, call.options,
                     static_cast<const double*>(quantiles), count, static_cast<T*>(values), states,
                     executor);
    });
  });
}

ffi::Error select_grad(ffi::ThreadPool pool, ffi::AnyBuffer upstream, ffi::AnyBuffer x,
                       ffi::AnyBuffer state, ffi::Result<ffi::AnyBuffer> gradient,
                       ffi::Dictionary attributes) {
  return error_if_thrown(kSelectGradTarget, [&] {
    const SelectionCall call = read_call(x, attributes);
    const auto sizes = state.dimensions();
    const int64_t count = sizes.size() == 2 ? sizes[1] / kSelectionColumns : 0;
    const SelectionState* const states = state_data(state, call, count);
    require_upstream(shape_of(upstream), call.geometry, count);
    const void* const arriving =
        data_of("upstream", upstream, x.element_type(), shape_of(upstream));
    void* const slopes = data_of("gradient", *gradient, x.element_type(), shape_of(x));
    with_type(x.element_type(), [&](auto element) {
      using T = decltype(element);
      PoolExecutor executor(pool);
      select_backward(static_cast<const T*>(arriving), static_cast<const T*>(x.untyped_data()),
                      states, call.geometry, count, static_cast<T*>(slopes), executor);
    });
  });
}

}  // namespace
}  // namespace tailops

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_select_host, tailops::select,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // x
                                  .Arg<xla::ffi::AnyBuffer>()  // q
                                  .Ret<xla::ffi::AnyBuffer>()  // value
                                  .Ret<xla::ffi::AnyBuffer>()  // state
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(tailops_select_grad_host, tailops::select_grad,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()  // upstream
                                  .Arg<xla::ffi::AnyBuffer>()  // x
                                  .Arg<xla::ffi::AnyBuffer>()  // state
                                  .Ret<xla::ffi::AnyBuffer>()  // gradient
                                  .Attrs());
