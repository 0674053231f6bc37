// Which blocks are there at a time, and which warp goes on.

#include "machine/machine.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <numeric>

#include "machine/coverage.h"
#include "machine/grid.h"

namespace virtual_gpu {
namespace {

bool has_finished(const Warp& warp) { return warp.splits.empty(); }

bool can_go_on(const Warp& warp) {
  return std::any_of(warp.splits.begin(), warp.splits.end(),
                     [](const Split& split) { return split.state == Split::kRuns; });
}

bool waits_for_block(const Warp& warp) {
  return std::all_of(warp.splits.begin(), warp.splits.end(),
                     [](const Split& split) { return split.state == Split::kWaitsForBlock; });
}

[[noreturn]] void deadlock(const Block& block) {
  std::string text = "threads wait for others that do not come:";
  for (const Warp& warp : block.warps) {
    for (const Split& split : warp.splits) {
      char one[96];
      std::snprintf(one, sizeof one, " lanes %08x of warp %d at PTX line %d;", split.mask,
                    warp.index, block.grid->kernel.code[split.at].line);
      if (text.size() < 500) text += one;
    }
  }
  throw Fault{Fault::kTimeout, text};
}

// All threads that have not finished are at a barrier.
void leave_barrier(Block& block) {
  order_block(block);
  for (Warp& warp : block.warps) {
    for (size_t i = 1; i < warp.splits.size(); ++i) {
      // Only the threads of a warp together: that is what `.aligned`, and bar.sync without it, say.
      if (warp.splits[i].at == warp.splits[0].at) continue;
      const int lane = __builtin_ctz(warp.splits[i].mask);
      throw Fault{Fault::kIllegalInstruction, "lanes of a warp are at different barriers", lane};
    }
    for (Split& split : warp.splits) split = {split.at + 1, split.mask, Split::kRuns};
  }
}

// Lets one warp of the block go on; false when all have finished.
bool go_on(Block& block) {
  std::vector<Warp*> able;
  bool finished = true, all_wait = true;
  for (Warp& warp : block.warps) {
    if (can_go_on(warp)) able.push_back(&warp);
    finished = finished && has_finished(warp);
    all_wait = all_wait && waits_for_block(warp);
  }
  if (finished) return false;
  if (able.empty()) {
    if (!all_wait) deadlock(block);
    leave_barrier(block);
    return true;
  }
  Grid& grid = *block.grid;
  const auto slice = static_cast<unsigned>(std::max(1l, grid.settings.slice));
  go_on(*able[grid.random() % able.size()], 1 + static_cast<long>(grid.random() % slice));
  return true;
}

void run_all(Grid& grid, std::vector<std::unique_ptr<Block>>& resident) {
  std::vector<uint32_t> order(static_cast<size_t>(grid.counts.blocks));
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), grid.random);
  const auto most = static_cast<size_t>(std::max(1l, grid.settings.resident));
  while (!order.empty() || !resident.empty()) {
    while (resident.size() < most && !order.empty()) {
      resident.push_back(std::make_unique<Block>(grid, order.back()));
      order.pop_back();
    }
    std::unique_ptr<Block>& block = resident[grid.random() % resident.size()];
    constexpr int kTurns = 8;  // of a block, before another one's
    for (int turn = 0; turn < kTurns; ++turn) {
      if (go_on(*block)) continue;
      block.swap(resident.back());
      resident.pop_back();
      break;
    }
  }
}

}  // namespace

std::optional<Fault> run(const Kernel& kernel, const Launch& launch) {
  // One launch after the other: all counts, and the memory's state, are of one launch.
  static std::mutex one;
  const std::lock_guard guard(one);
  const auto grid = std::make_unique<Grid>(kernel, launch);
  // A fault's place is asked of its warp.
  std::vector<std::unique_ptr<Block>> resident;
  std::optional<Fault> fault;
  try {
    run_all(*grid, resident);
  } catch (const Fault& found) {
    fault = found;
    fault->what +=
        found.lane < 0 ? " in " + kernel.name : grid->place(*grid->current_warp, found.lane);
  }
  if (grid->settings.count != 0) {
    add_coverage(kernel, grid->executed);
    add_counts(std::move(grid->counts));
  }
  return fault;
}

}  // namespace virtual_gpu
