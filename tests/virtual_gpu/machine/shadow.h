#pragma once

// Who wrote and who read each part of memory last, and when: races, and reads of what nobody wrote.
//
// Kept for units of 4 bytes while all accesses are of whole ones, which is most often; a smaller
// access makes the units of its page smaller, and each part inherits what was known of the whole.

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "machine/happens_before.h"

namespace virtual_gpu {

struct Cell {
  Stamp write;
  Stamp read;
  Stamp other_read;  // by another thread, where neither knows of the other
};

// Of some memory side by side.
class ShadowPage {
 public:
  explicit ShadowPage(size_t bytes) : bytes_(bytes), cells_((bytes + 3) / 4) {}

  // The cells of an access.
  std::pair<Cell*, Cell*> cells(size_t offset, size_t bytes);

 private:
  size_t bytes_;
  int shift_ = 2;  // a cell is of 1 << shift_ bytes
  std::vector<Cell> cells_;
};

// Of all global memory, for one launch.
class GlobalShadow {
 public:
  // An access never goes over the border of a page: it is aligned, and pages are large.
  std::pair<Cell*, Cell*> cells(uint64_t address, size_t bytes);

 private:
  static constexpr int kPageBits = 12;
  std::unordered_map<uint64_t, std::unique_ptr<ShadowPage>> pages_;
  uint64_t last_ = 0;
  ShadowPage* last_page_ = nullptr;
};

// What an access conflicts with, or nullptr; and from then on the cells know of it.
const char* conflict_of_read(std::pair<Cell*, Cell*> cells, const Warp& warp, int lane,
                             bool is_strong);
const char* conflict_of_write(std::pair<Cell*, Cell*> cells, const Warp& warp, int lane,
                              bool is_strong);

}  // namespace virtual_gpu
