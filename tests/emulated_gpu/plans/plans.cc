// Prints the plan of each call of which a line of the input tells:
//
//   forward|backward DTYPE REDUCTION AXIS|- PERCENTILE GRADIENT SELECTION IGNORES
//   MULTIPROCESSORS SHARED_BYTES SIZE…
//   select DTYPE METHOD COUNT_OF_Q ON_HOST WEIGHTED MULTIPROCESSORS SHARED_BYTES
//   OUTER LENGTH INNER
//   range DTYPE WEIGHTED MULTIPROCESSORS SHARED_BYTES OUTER LENGTH INNER
//
// and before it whether it equals the plan of the line above. Sizes of the kernels' shared memory
// are those that they have in the emulation, as on a GPU.

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "cuda/loss/backward.h"
#include "cuda/loss/forward.h"
#include "cuda/quantile/forward.h"
#include "cuda/range_mean/forward.h"

namespace tailops {
namespace {

struct Line {
  std::string pass;
  std::string dtype;
  Geometry geometry;
  Options options;
  bool ignores = false;
  cuda::Limits limits;
};

Line parse(const std::string& text) {
  std::istringstream in(text);
  Line line;
  std::string reduction, axis, gradient, selection;
  in >> line.pass >> line.dtype >> reduction >> axis >> line.options.percentile >> gradient >>
      selection >> line.ignores >> line.limits.multiprocessors >> line.limits.shared_bytes;
  std::vector<int64_t> shape;
  for (int64_t size = 0; in >> size;) shape.push_back(size);
  const auto own_axis = axis == "-" ? std::nullopt : std::optional<int64_t>(std::stoll(axis));
  line.geometry = make_geometry(
      shape, own_axis, static_cast<Reduction>(index_of("reduction", reduction, reduction_names())));
  line.options.gradient =
      static_cast<GradientMode>(index_of("gradient", gradient, gradient_mode_names()));
  line.options.selection =
      static_cast<SelectionPath>(index_of("selection", selection, selection_path_names()));
  return line;
}

template <typename T>
cuda::ForwardPlan forward_of(const Line& line) {
  return cuda::plan_forward(line.geometry, line.options, line.ignores, cuda::forward_kernels<T>(),
                            line.limits);
}

cuda::ForwardPlan forward_plan(const Line& line) {
  if (line.dtype == "float64") return forward_of<double>(line);
  if (line.dtype == "float32") return forward_of<float>(line);
  return forward_of<Float16>(line);
}

cuda::BackwardPlan backward_plan(const Line& line) {
  const int64_t element = line.dtype == "float64" ? 8 : line.dtype == "float32" ? 4 : 2;
  return cuda::plan_backward(line.geometry, line.options, line.ignores, element,
                             std::max<int64_t>(4, element), line.limits);
}

cuda::SelectKernels select_kernels(const std::string& dtype, bool weighted) {
  if (dtype == "int8") return cuda::select_kernels<int8_t>(weighted);
  if (dtype == "float16") return cuda::select_kernels<Float16>(weighted);
  if (dtype == "float32") return cuda::select_kernels<float>(weighted);
  return cuda::select_kernels<double>(weighted);
}

cuda::SelectPlan select_plan(const std::string& text) {
  std::istringstream in(text);
  std::string pass, dtype, method;
  int64_t count = 0;
  bool on_host = false, weighted = false;
  cuda::Limits limits;
  SelectionGeometry geometry;
  in >> pass >> dtype >> method >> count >> on_host >> weighted >> limits.multiprocessors >>
      limits.shared_bytes >> geometry.outer >> geometry.length >> geometry.inner;
  SelectionOptions options;
  options.method = selection_method(method);
  return cuda::plan_select(geometry, options, count, on_host, select_kernels(dtype, weighted),
                           limits);
}

cuda::RangeKernels range_kernels(const std::string& dtype, bool weighted) {
  if (dtype == "float16") return cuda::range_kernels<Float16>(weighted);
  if (dtype == "float32") return cuda::range_kernels<float>(weighted);
  return cuda::range_kernels<double>(weighted);
}

cuda::RangePlan range_plan(const std::string& text) {
  std::istringstream in(text);
  std::string pass, dtype;
  bool weighted = false;
  cuda::Limits limits;
  Groups groups;
  in >> pass >> dtype >> weighted >> limits.multiprocessors >> limits.shared_bytes >>
      groups.outer >> groups.length >> groups.inner;
  return cuda::plan_range(groups, range_kernels(dtype, weighted), limits);
}

template <typename Plan>
void print(const Plan& plan, Plan& before) {
  std::cout << (plan == before ? "same " : "other ") << to_string(plan) << '\n';
  before = plan;
}

}  // namespace
}  // namespace tailops

int main() {
  tailops::cuda::ForwardPlan forward;
  tailops::cuda::BackwardPlan backward;
  tailops::cuda::SelectPlan select;
  tailops::cuda::RangePlan range;
  for (std::string text; std::getline(std::cin, text);) {
    const std::string pass = text.substr(0, text.find(' '));
    if (pass == "forward") {
      tailops::print(tailops::forward_plan(tailops::parse(text)), forward);
    } else if (pass == "backward") {
      tailops::print(tailops::backward_plan(tailops::parse(text)), backward);
    } else if (pass == "range") {
      tailops::print(tailops::range_plan(text), range);
    } else {
      tailops::print(tailops::select_plan(text), select);
    }
  }
}
