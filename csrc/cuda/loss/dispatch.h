#pragma once

// From what a plan says to the kernels that are compiled for it.

#include "cuda/device/team.h"
#include "cuda/loss/call.h"
#include "cuda/loss/rows.h"
#include "cuda/loss/way.h"

namespace tailops {
namespace cuda {

template <typename Team>
struct TeamOf {
  using type = Team;
};

// body(TeamOf<Team>{}), of a way that teams go.
template <typename Body>
void with_team(Way way, const Body& body) {
  if (way == Way::kBlocks) {
    body(TeamOf<BlockTeam>());
  } else if (way == Way::kWarps) {
    body(TeamOf<WarpTeam>());
  } else {
    body(TeamOf<TileTeam>());
  }
}

// body(OneOutput{}) or body(ManyOutputs{}).
template <typename Body>
void with_outputs(bool to_scalar, const Body& body) {
  if (to_scalar) {
    body(OneOutput());
  } else {
    body(ManyOutputs());
  }
}

template <typename Of>
void launch_rows(const Of& of, const RowsPlan& plan, void* workspace, void* stream) {
  static_assert(sizeof(RowSum) == RowsPlan::kSumBytes);
  const Rows rows{plan.count, plan.length, plan.part, plan.parts, plan.sums.in<RowSum>(workspace)};
  device::launch(AddRows<Of>{of, rows}, plan.add, stream);
  if (plan.add_parts.exists()) device::launch(AddParts<Of>{of, rows}, plan.add_parts, stream);
}

}  // namespace cuda
}  // namespace tailops
