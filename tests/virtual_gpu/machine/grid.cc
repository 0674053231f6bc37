#include "machine/grid.h"

#include <cstdio>
#include <functional>

#include "machine/complaints.h"
#include "machine/specials.h"
#include "program/reader.h"

namespace virtual_gpu {
namespace {

// The same launch of the same kernel has the same schedule for the same seed, whatever runs beside.
std::mt19937 random_of(const Kernel& kernel, const Launch& launch, long seed) {
  std::seed_seq all{static_cast<uint64_t>(seed), std::hash<std::string>()(kernel.name),
                    static_cast<uint64_t>(launch.grid[0]), static_cast<uint64_t>(launch.grid[1])};
  return std::mt19937(all);
}

}  // namespace

Grid::Grid(const Kernel& of_kernel, const Launch& of_launch)
    : kernel(of_kernel),
      launch(of_launch),
      settings(virtual_gpu::settings()),
      watches(settings.races != 0 || settings.initialisation != 0),
      threads(static_cast<int>(launch.block[0] * launch.block[1] * launch.block[2])),
      shared_bytes(launch.dynamic_bytes == 0
                       ? static_cast<size_t>(kernel.shared_bytes)
                       : static_cast<size_t>(round_up(kernel.shared_bytes, 16)) +
                             launch.dynamic_bytes),
      random(random_of(kernel, launch, settings.seed)),
      executed(settings.count != 0 ? kernel.code.size() : 0) {
  counts.kernel = kernel.name;
  counts.blocks = static_cast<int64_t>(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  counts.threads = threads;
}

std::string Grid::place(const Warp& warp, int lane) const {
  char text[160];
  std::snprintf(text, sizeof text, ", PTX line %d, block %u,%u, thread %d",
                current == nullptr ? 0 : current->line, warp.block->id[0], warp.block->id[1],
                warp.index * 32 + lane);
  return " in " + kernel.name + text;
}

void Grid::complain(const std::string& what, const Warp& warp, int lane) {
  if (said_.emplace(what, current->line).second) {
    virtual_gpu::complain(what + place(warp, lane));
  }
}

Block::Block(Grid& of_grid, uint32_t of_number)
    : grid(&of_grid),
      number(of_number),
      id{of_number % of_grid.launch.grid[0],
         of_number / of_grid.launch.grid[0] % of_grid.launch.grid[1],
         of_number / of_grid.launch.grid[0] / of_grid.launch.grid[1]},
      shared(of_grid.shared_bytes, static_cast<unsigned char>(of_grid.random())),
      shadow(of_grid.watches ? of_grid.shared_bytes : 0),
      order(of_grid.threads) {
  const size_t count = order.warps.size();
  const auto local_bytes = count * 32 * static_cast<size_t>(grid->kernel.local_bytes);
  local.resize(local_bytes);
  local_written.resize(grid->settings.initialisation != 0 ? local_bytes : 0);
  warps.resize(count);
  for (size_t i = 0; i < count; ++i) {
    Warp& warp = warps[i];
    warp.block = this;
    warp.kernel = &grid->kernel;
    warp.index = static_cast<int>(i);
    // Not 0: what reads a register before it is written should not look right.
    warp.registers.assign(static_cast<size_t>(grid->kernel.registers) * 32, 0x5a5a5a5a5a5a5a5a);
    const size_t left = static_cast<size_t>(grid->threads) - 32 * i;
    warp.exist = left >= 32 ? ~0u : (1u << left) - 1;
    warp.splits = {{0, warp.exist, Split::kRuns}};
    warp.carry = {};
    for (const auto& [index, name] : grid->kernel.reads) {
      uint64_t* const to = warp.write(index);
      for (int lane = 0; lane < 32; ++lane) to[lane] = value_of_special(name, warp, lane);
    }
  }
}

}  // namespace virtual_gpu
