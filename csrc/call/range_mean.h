#pragma once

// What a range mean is asked for, by whoever asks.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "call/attributes.h"
#include "call/quantile.h"
#include "formulas/range_mean.h"

namespace tailops {

struct RangeOptions {
  RangeKind kind = RangeKind::kBetween;
  std::optional<int64_t> axis;  // none: one group
};

std::vector<std::string> range_kind_names();

// std::invalid_argument if there is none of this name.
RangeKind range_kind(const std::string& name);

// Of a custom call, whose attributes are `kind`, as a place among the names, and maybe `axis`.
// std::invalid_argument if one is missing or wrong.
RangeOptions read_range_options(const CallAttributeReader& reader);

// std::invalid_argument if there is no such range in any group.
void require_range(RangeKind kind, const RangeBounds& bounds);

// std::invalid_argument if a range of this kind is none of elements with weights: those that go by
// how many elements there are, or if there is a mask as well.
void require_range_of_weights(RangeKind kind, bool has_mask);

// std::invalid_argument, of a group of so many valid elements, if it has no such range.
[[noreturn]] void throw_range_beyond(const RangeBounds& bounds, int64_t valid);

// std::invalid_argument if there is no such axis, or nothing along it.
SelectionGeometry range_geometry(const std::vector<int64_t>& shape, const RangeOptions& options);

}  // namespace tailops
