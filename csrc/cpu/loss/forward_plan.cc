#include "cpu/loss/forward_plan.h"

#include "call/means.h"
#include "call/sample_plan.h"
#include "cpu/loss/short_groups.h"
#include "cpu/pass/group.h"

namespace tailops {
namespace {

Selecting selecting_of(const Geometry& geometry, const Options& options, bool ignores) {
  if (are_short(geometry, options, ignores, kShortForward)) {
    return geometry.inner >= kWideColumns ? Selecting::kShortColumns : Selecting::kShortTiles;
  }
  // Long enough for a sample of rows.
  const bool are_columns = !ignores && geometry.inner > 1 && geometry.length > kBufferLength &&
                           options.selection != SelectionPath::kRadix;
  return are_columns ? Selecting::kColumns : Selecting::kGroups;
}

Outputs outputs_of(const Geometry& geometry, bool with_squares) {
  if (geometry.reduces_to_scalar()) return Outputs::kAllGroups;
  const bool rows_are_groups = geometry.inner == 1 && geometry.row_length == geometry.length;
  // Side by side, groups have no Σ d² each.
  if (rows_are_groups && !with_squares) return Outputs::kEachGroup;
  if (geometry.row_length == 1) return Outputs::kElements;
  return geometry.row_length <= kBlockLength ? Outputs::kRows : Outputs::kLongRows;
}

}  // namespace

ForwardPlan make_forward_plan(const Geometry& geometry, const Options& options, bool ignores,
                              bool with_squares) {
  const bool sums_samples = must_sum_samples(geometry, ignores);
  const Geometry rows = sums_samples ? by_sample(geometry) : geometry;
  return {selecting_of(rows, options, ignores), outputs_of(rows, with_squares), sums_samples};
}

}  // namespace tailops
