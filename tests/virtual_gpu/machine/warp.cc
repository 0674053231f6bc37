// How a warp goes on: its splits, branches, and who waits for whom.

#include "machine/warp.h"

#include <algorithm>

#include "machine/grid.h"
#include "machine/specials.h"

namespace virtual_gpu {
namespace {

uint32_t guarded(const Warp& warp, const Instruction& instruction, uint32_t mask) {
  if (instruction.guard == Instruction::kNone) return mask;
  const uint64_t* const guard = warp.read(instruction.guard);
  uint32_t holds = 0;
  for (int lane = 0; lane < 32; ++lane) holds |= static_cast<uint32_t>(guard[lane] & 1) << lane;
  return mask & (instruction.guard_is_negated ? ~holds : holds);
}

void merge(Warp& warp) {
  auto& splits = warp.splits;
  for (size_t i = 0; i < splits.size(); ++i) {
    for (size_t j = i + 1; j < splits.size();) {
      if (splits[j].at == splits[i].at && splits[j].state == splits[i].state) {
        splits[i].mask |= splits[j].mask;
        splits.erase(splits.begin() + static_cast<ptrdiff_t>(j));
      } else {
        ++j;
      }
    }
  }
}

// Where splits are not at random, the one that is behind comes first: so they meet again.
Split* choose(Warp& warp) {
  Split* chosen = nullptr;
  unsigned running = 0;
  const bool at_random = warp.block->grid->settings.split > 0;
  for (Split& split : warp.splits) {
    if (split.state != Split::kRuns) continue;
    ++running;
    const bool better = at_random ? warp.block->grid->random() % running == 0
                                  : chosen == nullptr || split.at < chosen->at;
    if (better) chosen = &split;
  }
  return chosen;
}

void split_at_random(Warp& warp, Split& split) {
  Grid& grid = *warp.block->grid;
  if (grid.random() % static_cast<unsigned>(grid.settings.split) != 0) return;
  const uint32_t part = split.mask & static_cast<uint32_t>(grid.random());
  if (part == 0 || part == split.mask) return;
  const Split other = {split.at, split.mask & ~part, Split::kRuns};
  split.mask = part;
  ++grid.counts.splits;
  warp.splits.push_back(other);  // `split` is not valid any more
}

// The lanes that wait at the instruction and whose companions are all there: they go on. Barriers
// of lanes are one wherever they stand, if they name the same lanes; what exchanges values has to
// be the same instruction here.
void meet(Warp& warp, uint32_t at) {
  const Instruction& instruction = warp.kernel->code[at];
  uint32_t here = 0, at_other_barriers = 0;
  for (const Split& split : warp.splits) {
    if (split.state != Split::kWaitsForLanes) continue;
    const bool are_barriers = instruction.to.empty() && warp.kernel->code[split.at].to.empty();
    if (split.at == at) {
      here |= split.mask;
    } else if (are_barriers) {
      at_other_barriers |= split.mask;
    }
  }
  const auto have_come = [&](uint32_t named) {
    uint32_t come = here;
    for (uint32_t left = named & at_other_barriers; left != 0; left &= left - 1) {
      const int lane = __builtin_ctz(left);
      if (warp.named[static_cast<size_t>(lane)] == named) come |= 1u << lane;
    }
    return (named & ~come) == 0;
  };
  uint32_t done = 0;
  for (uint32_t left = here; left != 0;) {
    const int lane = __builtin_ctz(left);
    const uint32_t named = warp.named[static_cast<size_t>(lane)];
    left &= left - 1;
    const auto fail = [&](const char* what) {
      throw Fault{Fault::kIllegalInstruction, what, lane};
    };
    if ((named >> lane & 1) == 0) fail("a lane waits for others and does not name itself");
    if ((named & ~warp.exist) != 0) fail("a lane waits for one that does not exist");
    if ((named & warp.exited) != 0) fail("a lane waits for one that has finished");
    if (!have_come(named)) continue;
    for (uint32_t others = named; others != 0; others &= others - 1) {
      if (warp.named[static_cast<size_t>(__builtin_ctz(others))] != named) {
        fail("lanes that wait for each other name different lanes");
      }
    }
    instruction.execute(warp, instruction, named);
    done |= named;
    left &= ~named;
  }
  if (done == 0) return;
  std::vector<Split> go_on;
  for (Split& split : warp.splits) {
    if (split.state != Split::kWaitsForLanes || (split.mask & done) == 0) continue;
    go_on.push_back({split.at + 1, split.mask & done, Split::kRuns});
    split.mask &= ~done;
  }
  std::erase_if(warp.splits, [](const Split& split) { return split.mask == 0; });
  warp.splits.insert(warp.splits.end(), go_on.begin(), go_on.end());
  merge(warp);
}

void branch(Warp& warp, Split& split, const Instruction& instruction, uint32_t takes) {
  const auto target = static_cast<uint32_t>(instruction.targets[0]);
  const uint32_t next = split.at + 1;
  if (takes == split.mask || takes == 0) {
    split.at = takes == 0 ? next : target;
    return;
  }
  split.mask &= ~takes;
  split.at = next;
  ++warp.block->grid->counts.splits;
  warp.splits.push_back({target, takes, Split::kRuns});
}

void branch_by_table(Warp& warp, Split& split, const Instruction& instruction, uint32_t takes) {
  const uint64_t* const index = warp.read(instruction.from[0]);
  split.mask &= ~takes;
  ++split.at;
  for (uint32_t left = takes; left != 0; left &= left - 1) {
    const int lane = __builtin_ctz(left);
    const auto which = static_cast<uint32_t>(index[lane]);
    if (which >= instruction.targets.size()) {
      throw Fault{Fault::kIllegalInstruction, "a branch beyond the end of its table", lane};
    }
    warp.splits.push_back(
        {static_cast<uint32_t>(instruction.targets[which]), 1u << lane, Split::kRuns});
  }
  std::erase_if(warp.splits, [](const Split& one) { return one.mask == 0; });
  merge(warp);
}

void finish(Warp& warp, Split& split, uint32_t lanes) {
  warp.exited |= lanes;
  split.mask &= ~lanes;
  ++split.at;
  std::erase_if(warp.splits, [](const Split& one) { return one.mask == 0; });
}

void require_all(const Split& split, uint32_t takes) {
  if (takes != split.mask) {
    throw Fault{Fault::kIllegalInstruction, "a barrier under a condition that lanes differ in",
                __builtin_ctz(split.mask)};
  }
}

void step(Warp& warp, Split& split) {
  Grid& grid = *warp.block->grid;
  const Instruction& instruction = warp.kernel->code[split.at];
  grid.current = &instruction;
  ++grid.steps;
  const uint32_t takes = guarded(warp, instruction, split.mask);
  if (grid.settings.count != 0) {
    ++grid.counts.warp_instructions;
    grid.counts.thread_instructions += __builtin_popcount(takes);
    if (takes != 0) grid.executed[split.at] = 1;
  }
  switch (instruction.control) {
    case Control::kNext:
      if (takes != 0) instruction.execute(warp, instruction, takes);
      ++split.at;
      return;
    case Control::kBranch:
      return branch(warp, split, instruction, takes);
    case Control::kBranchTable:
      return branch_by_table(warp, split, instruction, takes);
    case Control::kExit:
      return finish(warp, split, takes);
    case Control::kTrap:
      if (takes != 0) throw Fault{Fault::kTrap, "trap", __builtin_ctz(takes)};
      ++split.at;
      return;
    case Control::kExchange: {
      require_all(split, takes);
      const uint64_t* const named = warp.read(instruction.from.back());
      for (uint32_t left = takes; left != 0; left &= left - 1) {
        const auto lane = static_cast<size_t>(__builtin_ctz(left));
        warp.named[lane] = static_cast<uint32_t>(named[lane]);
      }
      split.state = Split::kWaitsForLanes;
      return meet(warp, split.at);
    }
    case Control::kBarrier:
      require_all(split, takes);
      instruction.execute(warp, instruction, takes);
      split.state = Split::kWaitsForBlock;
      return;
  }
}

void update_clocks(Warp& warp) {
  for (const auto& [index, name] : warp.kernel->reads) {
    if (name.find("clock") == std::string::npos && name != "%globaltimer") continue;
    std::fill_n(warp.write(index), 32, value_of_special(name, warp, 0));
  }
}

}  // namespace

void go_on(Warp& warp, long most) {
  Grid& grid = *warp.block->grid;
  const auto limit = static_cast<uint64_t>(grid.settings.steps) * 1'000'000;
  if (limit != 0 && grid.steps > limit) {
    throw Fault{Fault::kTimeout, "the launch takes more instructions than it may", 0};
  }
  grid.current_warp = &warp;
  update_clocks(warp);
  while (most > 0) {
    if (warp.splits.size() > 1) merge(warp);
    Split* split = choose(warp);
    if (split == nullptr) return;
    if (grid.settings.split > 0) {
      split_at_random(warp, *split);
      split = choose(warp);
    }
    step(warp, *split);
    --most;
    // The most frequent case by far: all lanes at one place, until a branch or a wait.
    while (most > 0 && grid.settings.split == 0 && warp.splits.size() == 1 &&
           warp.splits[0].state == Split::kRuns) {
      step(warp, warp.splits[0]);
      --most;
    }
  }
}

}  // namespace virtual_gpu
