#pragma once

// Which way the groups of a call go, and the names of the kernels that are compiled for each.

#include <string>

#include "cuda/device/team_plan.h"

namespace tailops {
namespace cuda {

enum class Way {
  kColumns,  // in the order of memory; forward, tiles of some that a block has room for
  kLanes,    // some lanes of a warp for each group
  kWarps,    // a warp for each
  kBlocks,   // a block for each
  kGrid,     // many blocks for each
};

constexpr const char* kWayNames[] = {"columns", "lanes", "warps", "blocks", "grid"};

inline const char* name_of(Way way) { return kWayNames[static_cast<int>(way)]; }

// Of a team, and of one output or several.
inline std::string kernel_name(const char* kernel, Way way, bool to_scalar) {
  const std::string team = way == Way::kLanes    ? "<TileTeam>"
                           : way == Way::kWarps  ? "<WarpTeam>"
                           : way == Way::kBlocks ? "<BlockTeam>"
                                                 : "";
  return kernel + team + (to_scalar ? "<OneOutput>" : "<ManyOutputs>");
}

inline Way way_of(const TeamPlan& teams) {
  if (teams.width == 0) return Way::kBlocks;
  return teams.width == 32 ? Way::kWarps : Way::kLanes;
}

}  // namespace cuda
}  // namespace tailops
