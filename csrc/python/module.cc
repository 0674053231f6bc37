// tailops._kernels: the kernels on NumPy arrays, and what this build is made of.
//
// The arrays arrive checked and allocated by tailops/kernels.py.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "call/attributes.h"
#include "call/union.h"
#include "core/float_types.h"
#include "core/growing_buffer.h"
#include "core/integer_parts.h"
#include "core/streaming.h"
#include "cpu/loss/forward_plan.h"
#include "cpu/loss/tail_loss.h"
#include "cpu/pass/block_sum.h"
#include "cpu/quantile/quantile.h"
#include "cpu/range_mean/range_mean.h"
#include "cpu/select/group.h"
#include "cpu/simd/loops.h"
#include "formulas/union_range.h"
#include "formulas/union_search.h"
#include "formulas/union_state.h"
#include "formulas/window.h"
#include "python/compute.h"
#include "python/dtypes.h"
#include "python/floors.h"
#include "python/threads_executor.h"

#if defined(TAILOPS_HAS_CUDA)
#include "cuda/loss/tail_loss.h"
#include "python/cuda.h"
#endif

namespace py = pybind11;

namespace tailops {
namespace {

Options make_options(double percentile, double smoothing_factor, double error_scale, double beta,
                     double epsilon, const std::string& error, const std::string& method,
                     const std::string& gradient, const std::string& smoothing_unit,
                     std::optional<double> ignore_value, bool ignore_nan,
                     const std::string& selection) {
  Options options;
  options.percentile = percentile;
  options.smoothing_factor = smoothing_factor;
  options.error_scale = error_scale;
  options.beta = beta;
  options.epsilon = epsilon;
  options.ignore_value = ignore_value;
  options.ignore_nan = ignore_nan;
  set_names(options, error, method, gradient, smoothing_unit);
  options.selection =
      static_cast<SelectionPath>(index_of("selection", selection, selection_path_names()));
  validate(options);
  return options;
}

Geometry geometry_of(const std::vector<int64_t>& shape, std::optional<int64_t> axis,
                     const std::string& reduction) {
  return make_geometry(shape, axis,
                       static_cast<Reduction>(index_of("reduction", reduction, reduction_names())));
}

std::vector<CallAttribute> attributes_of(const Options& options, std::optional<int64_t> axis,
                                         const std::string& reduction) {
  return call_attributes(
      {options, axis, static_cast<Reduction>(index_of("reduction", reduction, reduction_names()))});
}

using Mask = std::optional<py::array_t<bool, py::array::c_style>>;

const bool* data_of(const Mask& mask) { return mask ? mask->data() : nullptr; }

// float32 or float64, contiguous.
using WeightArray = std::optional<py::array>;

Weights weights_of(const WeightArray& weights) {
  if (!weights) return {};
  return {weights->data(), weights->itemsize() == sizeof(double)};
}

void forward(const std::string& dtype, const py::array& y_true, const py::array& y_pred,
             const Mask& mask, const Geometry& geometry, const Options& options, py::array& loss,
             py::array& state, int threads) {
  const void* const y_true_data = y_true.data();
  const void* const y_pred_data = y_pred.data();
  const bool* const mask_data = data_of(mask);
  void* const loss_data = loss.mutable_data();
  void* const state_data = state.mutable_data();
  compute("forward", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      ThreadsExecutor executor(threads);
      tail_loss_forward(static_cast<const T*>(y_true_data), static_cast<const T*>(y_pred_data),
                        mask_data, geometry, options, static_cast<T*>(loss_data),
                        static_cast<GroupState*>(state_data), executor);
    });
  });
}

void backward(const std::string& dtype, const py::array& upstream, const py::array& y_true,
              const py::array& y_pred, const Mask& mask, const py::array& state,
              const Geometry& geometry, const Options& options, py::array& gradient, int threads) {
  const void* const upstream_data = upstream.data();
  const void* const y_true_data = y_true.data();
  const void* const y_pred_data = y_pred.data();
  const bool* const mask_data = data_of(mask);
  const void* const state_data = state.data();
  void* const gradient_data = gradient.mutable_data();
  compute("backward", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      ThreadsExecutor executor(threads);
      tail_loss_backward(static_cast<const T*>(upstream_data), static_cast<const T*>(y_true_data),
                         static_cast<const T*>(y_pred_data), mask_data,
                         static_cast<const GroupState*>(state_data), geometry, options,
                         static_cast<T*>(gradient_data), executor);
    });
  });
}

// value and state are allocated for the geometry: q.size() values of each group.
void select_elements(const std::string& dtype, const py::array& x, const WeightArray& weights,
                     const SelectionGeometry& geometry, const SelectionOptions& options,
                     const std::vector<double>& q, py::array& value, py::array& state,
                     int threads) {
  const void* const x_data = x.data();
  const Weights weights_data = weights_of(weights);
  void* const value_data = value.mutable_data();
  void* const state_data = state.mutable_data();
  compute("select", dtype, geometry, [&] {
    with_selectable_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      ThreadsExecutor executor(threads);
      select_forward(static_cast<const T*>(x_data), weights_data, geometry, options, q.data(),
                     static_cast<int64_t>(q.size()), static_cast<T*>(value_data),
                     static_cast<SelectionState*>(state_data), executor);
    });
  });
}

void select_gradient(const std::string& dtype, const py::array& upstream, const py::array& x,
                     const py::array& state, const SelectionGeometry& geometry, int64_t q_count,
                     py::array& gradient, int threads) {
  const void* const upstream_data = upstream.data();
  const void* const x_data = x.data();
  const void* const state_data = state.data();
  void* const gradient_data = gradient.mutable_data();
  compute("select_gradient", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      ThreadsExecutor executor(threads);
      select_backward(static_cast<const T*>(upstream_data), static_cast<const T*>(x_data),
                      static_cast<const SelectionState*>(state_data), geometry, q_count,
                      static_cast<T*>(gradient_data), executor);
    });
  });
}

RangeBounds bounds_of(const std::array<double, 2>& bounds) { return {bounds[0], bounds[1]}; }

void range_means(const std::string& dtype, const py::array& values, const Mask& mask,
                 const WeightArray& weights, const SelectionGeometry& geometry,
                 const RangeOptions& options, const std::array<double, 2>& bounds, py::array& mean,
                 py::array& state, int threads) {
  const void* const values_data = values.data();
  const bool* const mask_data = data_of(mask);
  const Weights weights_data = weights_of(weights);
  void* const mean_data = mean.mutable_data();
  void* const state_data = state.mutable_data();
  compute("range_mean", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      ThreadsExecutor executor(threads);
      range_mean_forward(static_cast<const T*>(values_data), mask_data, weights_data, geometry,
                         options, bounds_of(bounds), static_cast<T*>(mean_data),
                         static_cast<RangeState*>(state_data), executor);
    });
  });
}

void range_mean_gradient(const std::string& dtype, const py::array& upstream,
                         const py::array& values, const Mask& mask, const py::array& state,
                         const SelectionGeometry& geometry, py::array& gradient, int threads) {
  const void* const upstream_data = upstream.data();
  const void* const values_data = values.data();
  const bool* const mask_data = data_of(mask);
  const void* const state_data = state.data();
  void* const gradient_data = gradient.mutable_data();
  compute("range_mean_gradient", dtype, geometry, [&] {
    with_dtype(dtype, [&](auto element) {
      using T = decltype(element);
      ThreadsExecutor executor(threads);
      range_mean_backward(static_cast<const T*>(upstream_data), static_cast<const T*>(values_data),
                          mask_data, static_cast<const RangeState*>(state_data), geometry,
                          static_cast<T*>(gradient_data), executor);
    });
  });
}

// By name, of a call with or without a mask.
py::dict forward_plan(const Geometry& geometry, const Options& options, bool masked) {
  const bool ignores = masked || options.ignore_nan || options.ignore_value.has_value();
  const ForwardPlan plan = make_forward_plan(geometry, options, ignores, options.beta != 0.0);
  py::dict named;
  named["selecting"] = kSelectingNames[static_cast<int>(plan.selecting)];
  named["outputs"] = kOutputsNames[static_cast<int>(plan.outputs)];
  named["sums_samples"] = plan.sums_samples;
  return named;
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown";
#endif
}

py::dict build_info() {
  py::dict info;
  info["tailops"] = TAILOPS_VERSION;
  info["compiler"] = compiler();
#if defined(TAILOPS_HAS_CUDA)
  info["cuda"] = true;
  info["cuda_toolkit"] = cuda::toolkit();
  info["cuda_architectures"] = cuda::architectures();
#else
  info["cuda"] = false;
#endif
  info["instruction_set"] = instruction_set();
  info["instruction_sets"] = instruction_sets();
  return info;
}

}  // namespace
}  // namespace tailops

PYBIND11_MODULE(_kernels, m) {
  using namespace tailops;
  m.doc() = "The kernels of tailops on NumPy arrays; use tailops.kernels.";

  py::class_<Options>(m, "Options")
      .def(py::init(&make_options), py::kw_only(), py::arg("percentile"),
           py::arg("smoothing_factor"), py::arg("error_scale"), py::arg("beta"), py::arg("epsilon"),
           py::arg("error"), py::arg("method"), py::arg("gradient"), py::arg("smoothing_unit"),
           py::arg("ignore_value"), py::arg("ignore_nan"), py::arg("selection"));

  py::class_<Geometry>(m, "Geometry")
      .def(py::init(&geometry_of), py::arg("shape"), py::arg("axis"), py::arg("reduction"))
      .def_property_readonly("groups", &Geometry::groups)
      .def_property_readonly("output_shape",
                             [](const Geometry& g) { return py::tuple(py::cast(g.output_shape)); });

  py::class_<SelectionOptions>(m, "SelectionOptions")
      .def(py::init([](const std::string& method, bool ignore_nan, std::optional<int64_t> axis) {
             return SelectionOptions{selection_method(method), ignore_nan, axis};
           }),
           py::arg("method"), py::arg("ignore_nan"), py::arg("axis"));

  py::class_<SelectionGeometry>(m, "SelectionGeometry")
      .def(py::init(&selection_geometry), py::arg("shape"), py::arg("options"))
      .def_property_readonly("groups", &SelectionGeometry::groups)
      .def_property_readonly("group_shape", [](const SelectionGeometry& g) {
        return py::tuple(py::cast(g.group_shape));
      });

  py::class_<RangeOptions>(m, "RangeOptions")
      .def(py::init([](const std::string& kind, std::optional<int64_t> axis) {
             return RangeOptions{range_kind(kind), axis};
           }),
           py::arg("kind"), py::arg("axis"));

  m.attr("RANGE_COLUMNS") = kRangeColumns;
  m.attr("RANGE_KINDS") = py::tuple(py::cast(range_kind_names()));
  m.attr("SELECTION_COLUMNS") = kSelectionColumns;
  m.attr("STATE_COLUMNS") = kStateColumns;
  m.attr("STATE_NAMES") =
      py::tuple(py::cast(std::vector<std::string>(std::begin(kStateNames), std::end(kStateNames))));
  m.attr("NUMBER_PARTS") = sizeof(NumberParts) / sizeof(int32_t);
  m.attr("SLOPE_COLUMNS") = kSlopeColumns;
  m.attr("RANGE_SUM_COLUMNS") = kRangeSumColumns;
  m.attr("UNION_COLUMNS") = kUnionColumns;
  m.attr("BUFFER_LENGTH") = kBufferLength;
  m.attr("BLOCK_LENGTH") = kBlockLength;
  m.attr("PARALLEL_ELEMENTS") = kParallelElements;
  m.attr("STREAMED_BYTES") = kStreamedBytes;
  m.attr("KEPT_SCRATCH_BYTES") = kKeptScratchBytes;
  m.attr("ERRORS") = py::tuple(py::cast(error_kind_names()));
  m.attr("METHODS") = py::tuple(py::cast(method_names()));
  m.attr("INTERPOLATING_METHODS") = py::tuple(py::cast(interpolating_methods()));
  m.attr("METHODS_OF_WEIGHTS") = py::tuple(py::cast(methods_of_weights()));
  m.attr("GRADIENTS") = py::tuple(py::cast(gradient_mode_names()));
  m.attr("SMOOTHING_UNITS") = py::tuple(py::cast(smoothing_unit_names()));
  m.attr("SELECTIONS") = py::tuple(py::cast(selection_path_names()));
  m.attr("REDUCTIONS") = py::tuple(py::cast(reduction_names()));

  m.def("forward", &forward);
  m.def("backward", &backward);
  m.def("select", &select_elements);
  m.def("select_gradient", &select_gradient);
  m.def("range_geometry", &range_geometry);
  m.def("range_mean", &range_means);
  m.def("range_mean_gradient", &range_mean_gradient);
  m.def("union_targets", py::overload_cast<const Options&>(&union_targets));
  m.def("range_targets", [](const std::string& kind) { return union_targets(range_kind(kind)); });
  m.attr("MOST_IN_WINDOW") = kMostInWindow;
  m.def("union_rounds", [](int key_bits) { return digit_rounds(key_bits); });
  m.def("union_count_columns", [](int key_bits, int number, int targets) {
    return UnionRound{key_bits, number, targets}.columns();
  });
  m.def("forward_plan", &forward_plan, py::arg("geometry"), py::arg("options"),
        py::arg("masked") = false);
  m.def("call_attributes", &attributes_of);
  m.def("rank", [](const Options& options, int64_t n) {
    const Rank rank = threshold_of(options).rank(n);
    return py::make_tuple(rank.lower, rank.weight, rank.factor);
  });
  using Floats = py::array_t<float, py::array::c_style>;
  m.def("read_two", [](const Floats& a, const Floats& b, int threads) {
    return read_two(a.data(), b.data(), std::min(a.size(), b.size()), threads);
  });
  m.def("read_two_write_one", [](const Floats& a, const Floats& b, Floats& out, int threads) {
    const int64_t n = std::min({a.size(), b.size(), out.size()});
    read_two_write_one(a.data(), b.data(), out.mutable_data(), n, threads);
  });
  m.def("instruction_set", &instruction_set);
  m.def("set_instruction_set", &set_instruction_set);
  m.def("build_info", &build_info);
#if defined(TAILOPS_HAS_CUDA)
  add_cuda(m);
  add_cuda_union(m);
#endif
}
