#include "machine/shadow.h"

#include "machine/grid.h"

namespace virtual_gpu {

std::pair<Cell*, Cell*> ShadowPage::cells(size_t offset, size_t bytes) {
  while ((((offset | bytes) & ((size_t{1} << shift_) - 1)) != 0) && shift_ > 0) {
    std::vector<Cell> smaller;
    smaller.reserve(2 * cells_.size());
    for (const Cell& cell : cells_) smaller.insert(smaller.end(), 2, cell);
    cells_ = std::move(smaller);
    --shift_;
  }
  Cell* const first = cells_.data() + (offset >> shift_);
  return {first, first + (bytes >> shift_)};
}

std::pair<Cell*, Cell*> GlobalShadow::cells(uint64_t address, size_t bytes) {
  const uint64_t number = address >> kPageBits;
  if (number != last_ || last_page_ == nullptr) {
    std::unique_ptr<ShadowPage>& page = pages_[number];
    if (!page) page = std::make_unique<ShadowPage>(size_t{1} << kPageBits);
    last_ = number;
    last_page_ = page.get();
  }
  return last_page_->cells(address & ((uint64_t{1} << kPageBits) - 1), bytes);
}

namespace {

bool conflicts(const Warp& warp, int lane, bool is_strong, Stamp other) {
  return !(is_strong && other.is_strong) && !knows(warp, lane, other);
}

}  // namespace

const char* conflict_of_read(std::pair<Cell*, Cell*> cells, const Warp& warp, int lane,
                             bool is_strong) {
  const char* found = nullptr;
  const Stamp now = stamp_of(warp, lane, is_strong);
  for (Cell* cell = cells.first; cell != cells.second; ++cell) {
    if (conflicts(warp, lane, is_strong, cell->write))
      found = "a read that an earlier write is not ordered with";
    if (cell->read.thread != now.thread && !knows(warp, lane, cell->read)) {
      cell->other_read = cell->read;
    }
    cell->read = now;
  }
  return found;
}

const char* conflict_of_write(std::pair<Cell*, Cell*> cells, const Warp& warp, int lane,
                              bool is_strong) {
  const char* found = nullptr;
  const Stamp now = stamp_of(warp, lane, is_strong);
  for (Cell* cell = cells.first; cell != cells.second; ++cell) {
    if (conflicts(warp, lane, is_strong, cell->write)) {
      found = "a write that an earlier write is not ordered with";
    } else if (conflicts(warp, lane, is_strong, cell->read) ||
               conflicts(warp, lane, is_strong, cell->other_read)) {
      found = "a write that an earlier read is not ordered with";
    }
    cell->write = now;
  }
  return found;
}

}  // namespace virtual_gpu
