// What a selection is asked for: its methods, and the checks of a call.

#include "call/quantile.h"

#include <stdexcept>

#include "call/geometry.h"
#include "call/options.h"

namespace tailops {

std::vector<std::string> selection_methods() {
  std::vector<std::string> names;
  for (const RankRule& rule : kRankRules) names.emplace_back(rule.name);
  names.insert(names.end(), {"rank", "rank_from_top"});
  return names;
}

std::vector<std::string> interpolating_methods() {
  std::vector<std::string> names;
  for (const RankRule& rule : kRankRules) {
    if (rule.interpolates) names.emplace_back(rule.name);
  }
  return names;
}

std::vector<std::string> methods_of_weights() {
  std::vector<std::string> names;
  for (int method = 0; method < kQuantileMethods; ++method) {
    if (may_have_weights(method)) names.emplace_back(kRankRules[method].name);
  }
  return names;
}

int selection_method(const std::string& name) {
  return index_of("method", name, selection_methods());
}

void require_selectable(const SelectionOptions& options, const double* q, int64_t q_count,
                        int64_t length) {
  const bool by_rank = is_by_rank(options.method);
  for (int64_t i = 0; i < q_count; ++i) {
    if (is_selectable(options.method, q[i], length)) continue;
    throw std::invalid_argument(
        (by_rank ? "n=" : "q=") + in_decimal(q[i]) + ": must be in " +
        (by_rank ? "[0, " + std::to_string(length) + "), the size of the axis" : "[0, 1]"));
  }
}

SelectionGeometry selection_geometry(const std::vector<int64_t>& shape,
                                     const SelectionOptions& options) {
  const SelectionGeometry geometry{groups_along(shape, options.axis, "an input"),
                                   shape_of_groups(shape, options.axis)};
  if (geometry.length == 0 && geometry.groups() > 0) {
    throw std::invalid_argument("input of shape " + to_string(shape) +
                                ": there must be at least one element to select from");
  }
  return geometry;
}

std::vector<int64_t> value_shape(const std::vector<int64_t>& q_shape,
                                 const SelectionGeometry& geometry) {
  std::vector<int64_t> shape = q_shape;
  shape.insert(shape.end(), geometry.group_shape.begin(), geometry.group_shape.end());
  return shape;
}

void require_upstream(const std::vector<int64_t>& shape, const SelectionGeometry& geometry,
                      int64_t count) {
  const std::vector<int64_t> of_vector = value_shape({count}, geometry);
  if (count != 1) return require_shape("upstream", shape, of_vector);
  const std::vector<int64_t> of_scalar = value_shape({}, geometry);
  if (shape == of_scalar || shape == of_vector) return;
  throw std::invalid_argument("upstream of shape " + to_string(shape) + " must have the shape " +
                              to_string(of_scalar) + ", or, of a vector of one q, " +
                              to_string(of_vector));
}

}  // namespace tailops
