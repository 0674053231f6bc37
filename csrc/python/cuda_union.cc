// The steps of a union on addresses of device memory, and a stream: for tests, which check and
// allocate, and add up between the steps.

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "call/union.h"
#include "cuda/loss/given_state.h"
#include "cuda/union/parts.h"
#include "cuda/union/union.h"
#include "cuda/union/window.h"
#include "python/compute.h"
#include "python/cuda.h"
#include "python/dtypes.h"

namespace py = pybind11;

namespace tailops {
namespace {

template <typename Value>
Value* at(uintptr_t address) {
  return reinterpret_cast<Value*>(address);
}

// A share whose arrays are in device memory.
struct DeviceShare {
  DeviceShare(std::string of_dtype, uintptr_t y_true_at, uintptr_t y_pred_at, uintptr_t mask_at,
              const std::vector<int64_t>& shape, std::optional<int64_t> axis,
              const Options& of_options, uintptr_t stream_at)
      : dtype(std::move(of_dtype)),
        y_true(y_true_at),
        y_pred(y_pred_at),
        mask(mask_at),
        geometry(share_geometry(shape, axis)),
        values(range_share_geometry(shape, axis)),
        options(of_options),
        stream(at<void>(stream_at)) {}

  // body(inputs) of the element type, in a call of this name.
  template <typename Body>
  void with_inputs(const char* call, const Body& body) const {
    compute(call, dtype, geometry, [&] {
      with_dtype(dtype, [&](auto element) {
        using T = decltype(element);
        body(cuda::Inputs<T>{at<const T>(y_true), at<const T>(y_pred), at<const bool>(mask)});
      });
    });
  }

  template <typename T>
  T* elements(const cuda::Inputs<T>&, uintptr_t address) const {
    return at<T>(address);
  }

  const std::string dtype;
  const uintptr_t y_true, y_pred, mask;
  const Geometry geometry;
  const SelectionGeometry values;
  const Options options;
  void* const stream;
};

void histogram(const DeviceShare& share, const UnionRound& round, uintptr_t search,
               uintptr_t counts) {
  share.with_inputs("cuda_union_histogram", [&](const auto& inputs) {
    cuda::union_histogram(inputs, share.geometry, share.options, round, at<UnionSearch>(search),
                          at<int64_t>(counts), share.stream);
  });
}

void descend_union(const DeviceShare& share, const UnionRound& round, uintptr_t counts,
                   uintptr_t before, uintptr_t after) {
  cuda::union_descend(share.options, round, share.geometry.groups(), at<int64_t>(counts),
                      at<UnionSearch>(before), at<UnionSearch>(after), share.stream);
}

void states(const DeviceShare& share, uintptr_t search, uintptr_t state) {
  with_dtype(share.dtype, [&](auto element) {
    cuda::union_states<decltype(element)>(share.options, share.geometry.groups(),
                                          at<UnionSearch>(search), at<GroupState>(state),
                                          share.stream);
  });
}

int64_t workspace(const DeviceShare& share) {
  int64_t bytes = 0;
  with_dtype(share.dtype, [&](auto element) {
    using T = decltype(element);
    bytes = std::max(cuda::given_state_workspace<T>(share.geometry),
                     cuda::union_range_workspace<T>(share.values));
  });
  return bytes;
}

void losses(const DeviceShare& share, uintptr_t state, uintptr_t loss) {
  share.with_inputs("cuda_union_losses", [&](const auto& inputs) {
    cuda::given_state_losses(inputs, at<GroupState>(state), share.geometry, share.options,
                             share.elements(inputs, loss), share.stream);
  });
}

void slopes(const DeviceShare& share, uintptr_t upstream, uintptr_t state, uintptr_t to,
            uintptr_t space) {
  share.with_inputs("cuda_union_slopes", [&](const auto& inputs) {
    cuda::given_state_slopes(inputs, share.elements(inputs, upstream), at<GroupState>(state),
                             share.geometry, share.options, at<UnionSlopes>(to), at<void>(space),
                             share.stream);
  });
}

void gradient(const DeviceShare& share, uintptr_t upstream, uintptr_t state, uintptr_t of_union,
              uintptr_t to, uintptr_t space) {
  share.with_inputs("cuda_union_gradient", [&](const auto& inputs) {
    cuda::given_state_gradient(inputs, share.elements(inputs, upstream), at<GroupState>(state),
                               at<UnionSlopes>(of_union), share.geometry, share.options,
                               share.elements(inputs, to), at<void>(space), share.stream);
  });
}

void remember(const DeviceShare& batch, uintptr_t window, uintptr_t written, int64_t size,
              bool frozen, uintptr_t window_after, uintptr_t written_after) {
  batch.with_inputs("cuda_remember", [&](const auto& inputs) {
    using C = ComputeType<std::decay_t<decltype(*inputs.y_pred)>>;
    cuda::remember(inputs, batch.geometry, batch.options,
                   {at<const C>(window), at<const C>(written), size}, frozen,
                   {at<C>(window_after), at<C>(written_after), size}, batch.stream);
  });
}

void range_descend(const DeviceShare& share, const std::string& kind, uintptr_t bounds,
                   const UnionRound& round, uintptr_t counts, uintptr_t before, uintptr_t after) {
  cuda::union_range_descend(range_kind(kind), {nullptr, at<RangeBounds>(bounds)}, round,
                            share.geometry.groups(), at<int64_t>(counts), at<UnionSearch>(before),
                            at<UnionSearch>(after), share.stream);
}

// With bounds of the host.
void range_sums(const DeviceShare& share, const std::string& kind,
                const std::array<double, 2>& bounds, uintptr_t search, uintptr_t sums,
                uintptr_t space) {
  const RangeBounds on_host{bounds[0], bounds[1]};
  share.with_inputs("cuda_union_range_sums", [&](const auto& inputs) {
    cuda::union_range_sums(inputs.y_pred, inputs.mask, share.values, range_kind(kind),
                           {&on_host, nullptr}, at<UnionSearch>(search), at<UnionRangeSums>(sums),
                           at<void>(space), share.stream);
  });
}

void mean_of_range(const DeviceShare& share, const std::string& kind, uintptr_t bounds,
                   uintptr_t search, uintptr_t sums, uintptr_t mean, uintptr_t state) {
  share.with_inputs("cuda_union_range_mean", [&](const auto& inputs) {
    cuda::union_range_mean(range_kind(kind), {nullptr, at<RangeBounds>(bounds)},
                           share.geometry.groups(), at<UnionSearch>(search),
                           at<UnionRangeSums>(sums), share.elements(inputs, mean),
                           at<RangeState>(state), share.stream);
  });
}

}  // namespace

void add_cuda_union(py::module_& m) {
  py::class_<UnionRound>(m, "CudaUnionRound")
      .def(py::init([](int key_bits, int number, int targets) {
        return UnionRound{key_bits, number, targets};
      }))
      .def_property_readonly("columns", &UnionRound::columns);
  py::class_<DeviceShare>(m, "CudaShare")
      .def(py::init<std::string, uintptr_t, uintptr_t, uintptr_t, const std::vector<int64_t>&,
                    std::optional<int64_t>, const Options&, uintptr_t>())
      .def("histogram", &histogram)
      .def("descend", &descend_union)
      .def("states", &states)
      .def("workspace", &workspace)
      .def("losses", &losses)
      .def("slopes", &slopes)
      .def("gradient", &gradient)
      .def("remember", &remember)
      .def("range_descend", &range_descend)
      .def("range_sums", &range_sums)
      .def("range_mean", &mean_of_range);
  m.def("cuda_write_counts", [](uintptr_t counts, int64_t n, uintptr_t to, uintptr_t stream) {
    cuda::write_parts(at<int64_t>(counts), n, at<CountParts>(to), at<void>(stream));
  });
  m.def("cuda_write_numbers", [](uintptr_t numbers, int64_t n, uintptr_t to, uintptr_t stream) {
    cuda::write_parts(at<double>(numbers), n, at<NumberParts>(to), at<void>(stream));
  });
  m.def("cuda_read_counts", [](uintptr_t parts, int64_t n, uintptr_t to, uintptr_t stream) {
    cuda::read_parts(at<CountParts>(parts), n, at<int64_t>(to), at<void>(stream));
  });
  m.def("cuda_read_numbers", [](uintptr_t parts, int64_t n, uintptr_t to, uintptr_t stream) {
    cuda::read_parts(at<NumberParts>(parts), n, at<double>(to), at<void>(stream));
  });
}

}  // namespace tailops
