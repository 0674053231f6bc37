#include "call/union.h"

#include <stdexcept>
#include <string>

#include "formulas/digits.h"
#include "formulas/quantile_rank.h"
#include "formulas/window.h"

namespace tailops {

int union_targets(const Options& options) {
  return interpolates(threshold_of(options).rank_rule) ? 2 : 1;
}

int union_targets(RangeKind kind) { return kind == RangeKind::kBetween ? 2 : 1; }

Geometry share_geometry(const std::vector<int64_t>& shape, std::optional<int64_t> axis) {
  Geometry geometry;
  static_cast<Groups&>(geometry) = groups_along(shape, axis, "y_pred");
  geometry.output_shape = shape;
  return geometry;
}

SelectionGeometry range_share_geometry(const std::vector<int64_t>& shape,
                                       std::optional<int64_t> axis) {
  return {groups_along(shape, axis, "an input"), shape_of_groups(shape, axis)};
}

void require_round(int64_t round, int key_bits) {
  const int rounds = digit_rounds(key_bits);
  if (round >= 0 && round < rounds) return;
  throw std::invalid_argument("round=" + std::to_string(round) + ": must be in [0, " +
                              std::to_string(rounds) + ")");
}

void require_targets(int64_t targets) {
  if (targets == 1 || targets == 2) return;
  throw std::invalid_argument("targets=" + std::to_string(targets) + ": must be 1 or 2");
}

void require_window(const std::vector<int64_t>& shape, const Groups& batch) {
  if (shape.size() != 1 || shape[0] < 1 || shape[0] > kMostInWindow) {
    throw std::invalid_argument("window of shape " + to_string(shape) + ": must be [m], m in [1, " +
                                std::to_string(kMostInWindow) + "]");
  }
  if (batch.groups() == 1) return;
  throw std::invalid_argument("a batch of " + std::to_string(batch.groups()) +
                              " groups: a window is of one");
}

void require_tables(const UnionRound& round, int targets) {
  if (round.is_first() || round.targets >= targets) return;
  const int64_t needed = UnionRound{round.key_bits, round.number, targets}.columns();
  throw std::invalid_argument("counts of " + std::to_string(round.columns()) +
                              " columns: must be those of two targets, " + std::to_string(needed));
}

}  // namespace tailops
