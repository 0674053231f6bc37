#include "machine/access.h"

#include <cstdio>
#include <cstring>

#include "machine/grid.h"
#include "machine/windows.h"
#include "program/kernel_parser.h"

namespace virtual_gpu {
namespace {

[[noreturn]] void out_of_bounds(const char* memory, uint64_t address, size_t bytes, int lane) {
  char text[120];
  std::snprintf(text, sizeof text, "an access to %zu bytes at 0x%llx, out of bounds of %s memory",
                bytes, static_cast<unsigned long long>(address), memory);
  throw Fault{Fault::kIllegalAddress, text, lane};
}

unsigned char* in_global(Grid& grid, uint64_t address, size_t bytes, int lane) {
  auto* const first = reinterpret_cast<unsigned char*>(address);
  // The end of what is accessed may be 0 again.
  const auto is_in = [&](const Allocation& piece) {
    return first >= piece.first && bytes <= piece.bytes &&
           static_cast<size_t>(first - piece.first) <= piece.bytes - bytes;
  };
  if (is_in(grid.last_used)) return first;
  const auto found = find_memory(first);
  if (!found || !is_in(*found)) out_of_bounds("global", address, bytes, lane);
  grid.last_used = *found;
  return first;
}

unsigned char* in_shared(Block& block, uint64_t address, size_t bytes, int lane) {
  if (address < kSharedBegin || address - kSharedBegin + bytes > block.shared.size()) {
    out_of_bounds("shared", address, bytes, lane);
  }
  return block.shared.data() + (address - kSharedBegin);
}

size_t offset_in_local(const Warp& warp, uint64_t address, size_t bytes, int lane) {
  const auto size = static_cast<uint64_t>(warp.kernel->local_bytes);
  if (address + bytes > size) out_of_bounds("local", address, bytes, lane);
  return static_cast<size_t>(static_cast<uint64_t>(warp.index * 32 + lane) * size + address);
}

bool is_strong(const Instruction& instruction) {
  return instruction.order != Order::kWeak && instruction.order != Order::kFixed;
}

void watch_local(Warp& warp, int lane, const Place& place, size_t bytes, Use use) {
  Block& block = *warp.block;
  if (block.local_written.empty()) return;
  unsigned char* const written =
      &block.local_written[static_cast<size_t>(place.first - block.local.data())];
  if (use != Use::kWrites && std::memchr(written, 0, bytes) != nullptr) {
    block.grid->complain("local memory is read before it is written", warp, lane);
  }
  if (use != Use::kReads) std::memset(written, 1, bytes);
}

// Whether nobody has written part of it. What is written is so from now on.
bool is_unwritten(Grid& grid, const Place& place, size_t bytes, Use use) {
  if (grid.settings.initialisation == 0) return false;
  uint8_t* const written = grid.last_used.written->data() + (place.first - grid.last_used.first);
  const bool found = use != Use::kWrites && std::memchr(written, 0, bytes) != nullptr;
  if (use != Use::kReads) std::memset(written, 1, bytes);
  return found;
}

bool is_unwritten(std::pair<Cell*, Cell*> cells) {
  for (Cell* cell = cells.first; cell != cells.second; ++cell) {
    if (cell->write.time == 0) return true;
  }
  return false;
}

bool was_written_in_this_launch(std::pair<Cell*, Cell*> cells) { return !is_unwritten(cells); }

}  // namespace

Place place_of(Warp& warp, const Instruction& instruction, int lane, size_t bytes) {
  uint64_t address = warp.read(instruction.base)[lane] + static_cast<uint64_t>(instruction.offset);
  Space space = instruction.space;
  if (space == Space::kGeneric) {
    space = space_of_generic(address);
    address -= window_of(space);
  } else if (space == Space::kShared || space == Space::kLocal) {
    address = static_cast<uint32_t>(address);
  }
  if (address % bytes != 0) {
    char text[80];
    std::snprintf(text, sizeof text, "an access to %zu bytes at 0x%llx, which is not aligned",
                  bytes, static_cast<unsigned long long>(address));
    throw Fault{Fault::kMisalignedAddress, text, lane};
  }
  switch (space) {
    case Space::kShared:
      return {space, address, in_shared(*warp.block, address, bytes, lane)};
    case Space::kLocal:
      return {space, address,
              warp.block->local.data() + offset_in_local(warp, address, bytes, lane)};
    case Space::kParameters: {
      const auto& arguments = warp.block->grid->launch.arguments;
      if (bytes > arguments.size() || address > arguments.size() - bytes) {
        out_of_bounds("parameter", address, bytes, lane);
      }
      // Never written to: there is no st.param in a kernel.
      return {space, address, const_cast<unsigned char*>(arguments.data()) + address};
    }
    default:
      return {Space::kGlobal, address, in_global(*warp.block->grid, address, bytes, lane)};
  }
}

void watch(Warp& warp, const Instruction& instruction, int lane, const Place& place, size_t bytes,
           Use use) {
  Grid& grid = *warp.block->grid;
  if (!grid.watches || place.space == Space::kParameters) return;
  if (place.space == Space::kLocal) return watch_local(warp, lane, place, bytes, use);
  const bool is_shared = place.space == Space::kShared;
  const char* const memory = is_shared ? "shared" : "global";
  const auto cells = is_shared ? warp.block->shadow.cells(place.address - kSharedBegin, bytes)
                               : grid.shadow.cells(place.address, bytes);
  const bool unwritten = is_shared ? use != Use::kWrites && is_unwritten(cells)
                                   : is_unwritten(grid, place, bytes, use);
  if (unwritten && grid.settings.initialisation != 0) {
    grid.complain(std::string(memory) + " memory is read before it is written", warp, lane);
  }
  if (instruction.order == Order::kFixed && was_written_in_this_launch(cells)) {
    grid.complain("a load past the coherent caches of what this launch has written", warp, lane);
  }
  const bool strong = is_strong(instruction);
  // An atomic is known by its write alone: the next atomic there observes it, which orders both.
  const char* const conflict = use == Use::kReads ? conflict_of_read(cells, warp, lane, strong)
                                                  : conflict_of_write(cells, warp, lane, strong);
  if (conflict != nullptr && grid.settings.races != 0) {
    grid.complain(std::string("race in ") + memory + " memory: " + conflict, warp, lane);
  }
}

uint64_t read_element(Warp& warp, const Instruction& instruction, int lane, const Place& place,
                      size_t bytes) {
  watch(warp, instruction, lane, place, bytes, Use::kReads);
  uint64_t value = 0;
  std::memcpy(&value, place.first, bytes);
  Grid& grid = *warp.block->grid;
  if (place.space == Space::kGlobal) {
    if (grid.settings.weak != 0) {
      value = grid.history.read(warp, lane, place.address, bytes, value);
    }
    // What a strong load reads may be what an atomic has released.
    if (is_strong(instruction)) {
      order_by_location(warp, lane, place.address, false, Use::kReads, instruction.order);
    }
  }
  return value;
}

void write_element(Warp& warp, const Instruction& instruction, int lane, const Place& place,
                   size_t bytes, uint64_t value) {
  watch(warp, instruction, lane, place, bytes, Use::kWrites);
  Grid& grid = *warp.block->grid;
  if (place.space == Space::kGlobal) {
    if (grid.settings.weak != 0) grid.history.write(warp, lane, place.address, bytes, value);
    if (is_strong(instruction)) {
      order_by_location(warp, lane, place.address, false, Use::kWrites, instruction.order);
    }
  }
  std::memcpy(place.first, &value, bytes);
}

}  // namespace virtual_gpu
