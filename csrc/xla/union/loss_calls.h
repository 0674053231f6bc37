#pragma once

// The steps of a loss's union as custom calls: buffers, checked. What is done with them is
// `Device`'s, which host_handlers.cc and cuda_handlers.cc have.

#include "formulas/window.h"
#include "xla/union/arguments.h"

namespace tailops {

struct LossCall {
  template <typename Device>
  LossCall(const xla::ffi::AnyBuffer& y_true_in, const xla::ffi::AnyBuffer& y_pred_in,
           xla::ffi::RemainingArgs others, const DictionaryReader& reader, Device& device)
      : LossCall(y_true_in, y_pred_in, others, reader, read_call_attributes(reader), device) {}

  template <typename Device>
  LossCall(const xla::ffi::AnyBuffer& y_true_in, const xla::ffi::AnyBuffer& y_pred_in,
           xla::ffi::RemainingArgs others, const DictionaryReader& reader, const Attributes& read,
           Device& device)
      : options(read_options(read, reader, others, device)),
        geometry(share_geometry(shape_of(y_pred_in), read.axis)),
        mask(mask_of(others, shape_of(y_pred_in), scheduled_of(reader))),
        dtype(y_pred_in.element_type()),
        y_true(data_of("y_true", y_true_in, dtype, shape_of(y_pred_in))),
        y_pred(y_pred_in.untyped_data()) {}

  int64_t groups() const { return geometry.groups(); }

  const GroupState* state_in(const xla::ffi::AnyBuffer& state) const {
    return rows_of<GroupState>("state", state, groups());
  }

  // body(share, elements_of): a share of its element type, and elements_of(name, buffer), the data
  // of a buffer that has an element for each of the share's.
  template <typename Body>
  void with_share(const Body& body) const {
    with_type(dtype, [&](auto element) {
      using T = decltype(element);
      const LossShare<T> share{static_cast<const T*>(y_true), static_cast<const T*>(y_pred), mask,
                               geometry, options};
      body(share, [&](const char* name, const xla::ffi::AnyBuffer& buffer) {
        return static_cast<T*>(data_of(name, buffer, dtype, geometry.output_shape));
      });
    });
  }

  const Options options;
  const Geometry geometry;
  const bool* const mask;
  const xla::ffi::DataType dtype;
  const void* const y_true;
  const void* const y_pred;
};

template <typename Device>
xla::ffi::Error union_histogram_call(Device device, xla::ffi::AnyBuffer y_true,
                                     xla::ffi::AnyBuffer y_pred, xla::ffi::AnyBuffer search,
                                     xla::ffi::RemainingArgs others,
                                     xla::ffi::Result<xla::ffi::AnyBuffer> counts,
                                     xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_histogram", y_pred, [&] {
    const DictionaryReader reader(attributes);
    const LossCall call(y_true, y_pred, others, reader, device);
    const UnionRound round = read_union_round(reader);
    const int64_t size = call.groups() * round.columns();
    const UnionSearch* const before = rows_of<UnionSearch>("search", search, call.groups());
    CountParts* const parts = rows_of<CountParts>("counts", *counts, size);
    int64_t* const found = device.template room<int64_t>(size);
    call.with_share([&](const auto& share, const auto&) {
      const int of_dtype = call.dtype == xla::ffi::DataType::F64 ? 64 : 32;
      if (round.key_bits != of_dtype) {
        throw std::invalid_argument("key_bits=" + std::to_string(round.key_bits) + ": must be " +
                                    std::to_string(of_dtype) + " for " + to_string(call.dtype));
      }
      device.histogram(share, round, before, found);
    });
    device.write_parts(found, size, parts);
  });
}

template <typename Device>
xla::ffi::Error union_descend_call(Device device, xla::ffi::AnyBuffer counts,
                                   xla::ffi::AnyBuffer search, xla::ffi::RemainingArgs others,
                                   xla::ffi::Result<xla::ffi::AnyBuffer> found,
                                   xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_descend", counts, [&] {
    const DictionaryReader reader(attributes);
    const Options options = read_options(reader, others, device);
    device.descend(options,
                   read_descent(reader, union_targets(options), counts, search, *found, device));
  });
}

template <typename Device>
xla::ffi::Error union_state_call(Device device, xla::ffi::AnyBuffer search,
                                 xla::ffi::RemainingArgs others,
                                 xla::ffi::Result<xla::ffi::AnyBuffer> state,
                                 xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_state", search, [&] {
    const DictionaryReader reader(attributes);
    const Options options = read_options(reader, others, device);
    const int64_t groups = groups_of_search(search);
    const UnionSearch* const from = rows_of<UnionSearch>("search", search, groups);
    GroupState* const to = rows_of<GroupState>("state", *state, groups);
    if (read_key_bits(reader) == 32) {
      device.template states<float>(options, groups, from, to);
    } else {
      device.template states<double>(options, groups, from, to);
    }
  });
}

template <typename Device>
xla::ffi::Error union_loss_call(Device device, xla::ffi::AnyBuffer y_true,
                                xla::ffi::AnyBuffer y_pred, xla::ffi::AnyBuffer state,
                                xla::ffi::RemainingArgs others,
                                xla::ffi::Result<xla::ffi::AnyBuffer> loss,
                                xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_tail_loss", y_pred, [&] {
    const LossCall call(y_true, y_pred, others, DictionaryReader(attributes), device);
    const GroupState* const of = call.state_in(state);
    call.with_share([&](const auto& share, const auto& elements_of) {
      device.losses(share, of, elements_of("loss", *loss));
    });
  });
}

template <typename Device>
xla::ffi::Error union_remember_call(Device device, xla::ffi::AnyBuffer y_true,
                                    xla::ffi::AnyBuffer y_pred, xla::ffi::AnyBuffer window,
                                    xla::ffi::AnyBuffer written, xla::ffi::RemainingArgs others,
                                    xla::ffi::Result<xla::ffi::AnyBuffer> window_after,
                                    xla::ffi::Result<xla::ffi::AnyBuffer> written_after,
                                    xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_remember", y_pred, [&] {
    const DictionaryReader reader(attributes);
    const LossCall call(y_true, y_pred, others, reader, device);
    const std::vector<int64_t> shape = shape_of(window);
    require_window(shape, call.geometry);
    call.with_share([&](const auto& share, const auto&) {
      using C = ComputeType<std::decay_t<decltype(*share.y_pred)>>;
      const xla::ffi::DataType dtype =
          sizeof(C) == 8 ? xla::ffi::DataType::F64 : xla::ffi::DataType::F32;
      const auto numbers = [&](const char* name, const xla::ffi::AnyBuffer& buffer,
                               const std::vector<int64_t>& of_shape) {
        return static_cast<C*>(data_of(name, buffer, dtype, of_shape));
      };
      device.remember(share,
                      {numbers("window", window, shape), numbers("written", written, {}), shape[0]},
                      reader.integer("frozen") != 0,
                      {numbers("window", *window_after, shape),
                       numbers("written", *written_after, {}), shape[0]});
    });
  });
}

template <typename Device>
xla::ffi::Error union_slopes_call(Device device, xla::ffi::AnyBuffer upstream,
                                  xla::ffi::AnyBuffer y_true, xla::ffi::AnyBuffer y_pred,
                                  xla::ffi::AnyBuffer state, xla::ffi::RemainingArgs others,
                                  xla::ffi::Result<xla::ffi::AnyBuffer> slopes,
                                  xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_slopes", y_pred, [&] {
    const LossCall call(y_true, y_pred, others, DictionaryReader(attributes), device);
    const GroupState* const of = call.state_in(state);
    UnionSlopes* const found = device.template room<UnionSlopes>(call.groups());
    call.with_share([&](const auto& share, const auto& elements_of) {
      device.slopes(share, elements_of("upstream", upstream), of, found);
    });
    write_rows("slopes", found, call.groups(), *slopes, device);
  });
}

template <typename Device>
xla::ffi::Error union_gradient_call(Device device, xla::ffi::AnyBuffer upstream,
                                    xla::ffi::AnyBuffer y_true, xla::ffi::AnyBuffer y_pred,
                                    xla::ffi::AnyBuffer state, xla::ffi::AnyBuffer slopes,
                                    xla::ffi::RemainingArgs others,
                                    xla::ffi::Result<xla::ffi::AnyBuffer> gradient,
                                    xla::ffi::Dictionary attributes) {
  return error_if_thrown("tailops_union_tail_loss_grad", y_pred, [&] {
    const LossCall call(y_true, y_pred, others, DictionaryReader(attributes), device);
    const GroupState* const of = call.state_in(state);
    const UnionSlopes* const all = read_rows<UnionSlopes>("slopes", slopes, call.groups(), device);
    call.with_share([&](const auto& share, const auto& elements_of) {
      device.gradient(share, elements_of("upstream", upstream), of, all,
                      elements_of("gradient", *gradient));
    });
  });
}

}  // namespace tailops
