#pragma once

// A launch while it runs: its blocks, and what is watched.

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "machine/counts.h"
#include "machine/device_memory.h"
#include "machine/happens_before.h"
#include "machine/history.h"
#include "machine/machine.h"
#include "machine/settings.h"
#include "machine/shadow.h"
#include "machine/warp.h"

namespace virtual_gpu {

struct Grid {
  Grid(const Kernel& of_kernel, const Launch& of_launch);

  // Says it once for each line of the program.
  void complain(const std::string& what, const Warp& warp, int lane);
  // " in KERNEL, PTX line 7, block 1,0, thread 3".
  std::string place(const Warp& warp, int lane) const;

  const Kernel& kernel;
  const Launch& launch;
  const Settings settings;
  const bool watches;  // races, or initialisation
  const int threads;   // of a block
  const size_t shared_bytes;
  std::mt19937 random;
  const Instruction* current = nullptr;  // what is executed, and by whom
  const Warp* current_warp = nullptr;
  uint64_t steps = 0;  // instructions of warps until now

  Allocation last_used;  // of global memory
  GlobalShadow shadow;
  Messages messages;
  History history;
  Counts counts;
  std::vector<unsigned char> executed;  // of each instruction, if counted

 private:
  std::set<std::pair<std::string, int>> said_;
};

struct Block {
  Block(Grid& of_grid, uint32_t of_number);

  Grid* grid;
  uint32_t number;
  unsigned id[3];
  std::vector<unsigned char> shared;
  std::vector<unsigned char> local;          // of one thread behind the other
  std::vector<unsigned char> local_written;  // of each byte, whether it was
  ShadowPage shadow;                         // of shared memory
  BlockOrder order;
  std::vector<Warp> warps;
};

// Executes at most so many instructions of a warp; fewer where it has to wait.
void go_on(Warp& warp, long most);

}  // namespace virtual_gpu
