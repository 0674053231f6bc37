#include "call/range_mean.h"

#include <iterator>
#include <stdexcept>

#include "call/options.h"

namespace tailops {

std::vector<std::string> range_kind_names() {
  return {std::begin(kRangeKindNames), std::end(kRangeKindNames)};
}

RangeKind range_kind(const std::string& name) {
  return static_cast<RangeKind>(index_of("kind", name, range_kind_names()));
}

RangeOptions read_range_options(const CallAttributeReader& reader) {
  RangeOptions options;
  options.kind = static_cast<RangeKind>(read_place(reader, "kind", std::size(kRangeKindNames)));
  if (reader.has("axis")) options.axis = reader.integer("axis");
  return options;
}

void require_range(RangeKind kind, const RangeBounds& bounds) {
  if (is_range(kind, bounds)) return;
  const std::string first = in_decimal(bounds.first), second = in_decimal(bounds.second);
  switch (kind) {
    case RangeKind::kBetween:
      throw std::invalid_argument("lower=" + first + ", upper=" + second +
                                  ": must be 0 <= lower < upper <= 1");
    case RangeKind::kLargest:
      throw std::invalid_argument("k=" + first + ": must be above 0, and finite");
    default:
      throw std::invalid_argument("threshold=" + first + ", min_kept=" + second +
                                  ": the threshold must be a number, and min_kept at least 1");
  }
}

void require_range_of_weights(RangeKind kind, bool has_mask) {
  if (kind != RangeKind::kBetween) {
    throw std::invalid_argument("kind='" + std::string(kRangeKindNames[static_cast<int>(kind)]) +
                                "' with weights: must be '" +
                                kRangeKindNames[static_cast<int>(RangeKind::kBetween)] + "'");
  }
  if (has_mask) {
    throw std::invalid_argument("a mask with weights: what is ignored must have a weight of 0");
  }
}

void throw_range_beyond(const RangeBounds& bounds, int64_t valid) {
  throw std::invalid_argument(
      "k=" + in_decimal(bounds.first) +
      ": must be at most the number of valid values, which of one group is " +
      std::to_string(valid));
}

SelectionGeometry range_geometry(const std::vector<int64_t>& shape, const RangeOptions& options) {
  SelectionOptions selection;
  selection.axis = options.axis;
  return selection_geometry(shape, selection);
}

}  // namespace tailops
