// The CUDA kernels on addresses of device memory, and a stream: checked and allocated by
// tailops/cuda.py.

#include "python/cuda.h"

#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda/loss/tail_loss.h"
#include "cuda/quantile/quantile.h"
#include "cuda/range_mean/range_mean.h"
#include "python/compute.h"
#include "python/dtypes.h"

namespace py = pybind11;

namespace tailops {
namespace {

using Address = uintptr_t;

template <typename Value>
Value* at(Address address) {
  return reinterpret_cast<Value*>(address);
}

template <typename T>
cuda::Inputs<T> inputs_of(Address y_true, Address y_pred, Address mask) {
  return {at<const T>(y_true), at<const T>(y_pred), at<const bool>(mask)};
}

int64_t workspace(const std::string& dtype, Address mask, const Geometry& geometry,
                  const Options& options, bool is_forward) {
  int64_t bytes = 0;
  with_dtype(dtype, [&](auto element) {
    using T = decltype(element);
    const cuda::Inputs<T> inputs = inputs_of<T>(0, 0, mask);
    bytes = is_forward ? cuda::forward_workspace(inputs, geometry, options)
                       : cuda::backward_workspace(inputs, geometry, options);
  });
  return bytes;
}

void forward(const std::string& dtype, Address y_true, Address y_pred, Address mask,
             const Geometry& geometry, const Options& options, Address loss, Address state,
             Address space, Address stream) {
  compute("cuda_forward", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      cuda::forward<T>(inputs_of<T>(y_true, y_pred, mask), geometry, options, at<T>(loss),
                       at<GroupState>(state), at<void>(space), at<void>(stream));
    });
  });
}

void backward(const std::string& dtype, Address upstream, Address y_true, Address y_pred,
              Address mask, Address state, const Geometry& geometry, const Options& options,
              Address gradient, Address space, Address stream) {
  compute("cuda_backward", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      cuda::backward<T>(inputs_of<T>(y_true, y_pred, mask), at<const T>(upstream),
                        at<const GroupState>(state), geometry, options, at<T>(gradient),
                        at<void>(space), at<void>(stream));
    });
  });
}

cuda::Quantiles on_host(const std::vector<double>& q) {
  return {q.data(), nullptr, static_cast<int64_t>(q.size())};
}

Weights weights_at(Address address, bool are_wide) { return {at<const void>(address), are_wide}; }

int64_t selection_space(const std::string& dtype, Address weights,
                        const SelectionGeometry& geometry, const SelectionOptions& options,
                        const std::vector<double>& q) {
  int64_t bytes = 0;
  with_selectable_dtype(dtype, [&](auto element) {
    bytes = cuda::selection_workspace<decltype(element)>(geometry, options, on_host(q),
                                                         weights_at(weights, false));
  });
  return bytes;
}

void select_elements(const std::string& dtype, Address x, Address weights, bool wide_weights,
                     const SelectionGeometry& geometry, const SelectionOptions& options,
                     const std::vector<double>& q, Address value, Address state, Address space,
                     Address stream) {
  compute("cuda_select", dtype, geometry, [&] {
    require_selectable(options, q.data(), static_cast<int64_t>(q.size()), geometry.length);
    with_selectable_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      cuda::select_forward<T>(at<const T>(x), weights_at(weights, wide_weights), geometry, options,
                              on_host(q), at<T>(value), at<SelectionState>(state), at<void>(space),
                              at<void>(stream));
    });
  });
}

void select_gradient(const std::string& dtype, Address upstream, Address x, Address state,
                     const SelectionGeometry& geometry, int64_t q_count, Address gradient,
                     Address stream) {
  compute("cuda_select_gradient", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      cuda::select_backward<T>(at<const T>(upstream), at<const T>(x),
                               at<const SelectionState>(state), geometry, q_count, at<T>(gradient),
                               at<void>(stream));
    });
  });
}

int64_t range_mean_space(const std::string& dtype, Address weights,
                         const SelectionGeometry& geometry, const RangeOptions& options) {
  int64_t bytes = 0;
  with_dtype(dtype, [&](auto element) {
    bytes = cuda::range_mean_workspace<decltype(element)>(geometry, options,
                                                          weights_at(weights, false));
  });
  return bytes;
}

// `on_device`: where the bounds are, or nowhere: then they are those of the host.
void range_means(const std::string& dtype, Address values, Address mask, Address weights,
                 bool wide_weights, const SelectionGeometry& geometry, const RangeOptions& options,
                 const std::array<double, 2>& bounds, Address on_device, Address mean,
                 Address state, Address space, Address stream) {
  compute("cuda_range_mean", dtype, geometry, [&] {
    const RangeBounds on_host{bounds[0], bounds[1]};
    if (weights != 0) require_range_of_weights(options.kind, mask != 0);
    if (on_device == 0) {
      require_range(options.kind, on_host);
      // With a mask, only the device knows how many there are.
      if (mask == 0 && !has_range(options.kind, on_host, geometry.length)) {
        throw_range_beyond(on_host, geometry.length);
      }
    }
    const cuda::Bounds own{on_device == 0 ? &on_host : nullptr, at<const RangeBounds>(on_device)};
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      cuda::range_mean_forward<T>(
          at<const T>(values), at<const bool>(mask), weights_at(weights, wide_weights), geometry,
          options, own, at<T>(mean), at<RangeState>(state), at<void>(space), at<void>(stream));
    });
  });
}

void range_mean_gradient(const std::string& dtype, Address upstream, Address values, Address mask,
                         Address state, const SelectionGeometry& geometry, Address gradient,
                         Address stream) {
  compute("cuda_range_mean_gradient", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      cuda::range_mean_backward<T>(at<const T>(upstream), at<const T>(values), at<const bool>(mask),
                                   at<const RangeState>(state), geometry, at<T>(gradient),
                                   at<void>(stream));
    });
  });
}

}  // namespace

void add_cuda(py::module_& m) {
  m.def("cuda_device_count", &cuda::device_count);
  m.def("cuda_prepare", &cuda::prepare, py::call_guard<py::gil_scoped_release>());
  m.def("cuda_workspace", &workspace);
  m.def("cuda_forward", &forward);
  m.def("cuda_backward", &backward);
  m.def("cuda_selection_workspace", &selection_space);
  m.def("cuda_select", &select_elements);
  m.def("cuda_select_gradient", &select_gradient);
  m.def("cuda_range_workspace", &range_mean_space);
  m.def("cuda_range_mean", &range_means);
  m.def("cuda_range_mean_gradient", &range_mean_gradient);
  m.def("cuda_read_two", [](Address a, Address b, int64_t n, Address space, Address stream) {
    cuda::read_two(at<const float>(a), at<const float>(b), n, at<void>(space), at<void>(stream));
  });
  m.def("cuda_read_two_write_one",
        [](Address a, Address b, Address out, int64_t n, Address stream) {
          cuda::read_two_write_one(at<const float>(a), at<const float>(b), at<float>(out), n,
                                   at<void>(stream));
        });
}

}  // namespace tailops
