#include "machine/history.h"

#include <algorithm>
#include <cstring>

#include "machine/grid.h"

namespace virtual_gpu {
namespace {

constexpr size_t kMostWrites = 8;  // remembered of a word

}  // namespace

void History::apply(uint64_t& word, const Write& write) {
  std::memcpy(reinterpret_cast<unsigned char*>(&word) + write.offset, &write.value, write.bytes);
}

void History::write(const Warp& warp, int lane, uint64_t address, size_t bytes, uint64_t value) {
  const uint64_t first = address & ~uint64_t{7};
  const auto [found, is_new] = words_.try_emplace(first);
  Word& word = found->second;
  if (is_new) std::memcpy(&word.before, reinterpret_cast<const void*>(first), 8);
  word.writes.push_back({stamp_of(warp, lane, false), static_cast<uint8_t>(address - first),
                         static_cast<uint8_t>(bytes), value});
  if (word.writes.size() > kMostWrites) {
    apply(word.before, word.writes.front());
    word.writes.erase(word.writes.begin());
    ++word.forgotten;
  }
}

uint64_t History::read(Warp& warp, int lane, uint64_t address, size_t bytes, uint64_t newest) {
  const uint64_t first = address & ~uint64_t{7};
  const auto found = words_.find(first);
  if (found == words_.end()) return newest;
  Word& word = found->second;
  const auto overlaps = [&](const Write& write) {
    const uint64_t begin = first + write.offset;
    return begin < address + bytes && address < begin + write.bytes;
  };
  // Those from `least` on may or may not be seen.
  size_t least = word.writes.size();
  while (least > 0) {
    const Write& write = word.writes[least - 1];
    if (overlaps(write) && knows(warp, lane, write.stamp)) break;
    --least;
  }
  const uint32_t thread = stamp_of(warp, lane, false).thread;
  if (const auto seen = word.seen.find(thread); seen != word.seen.end()) {
    const uint64_t count = std::max(seen->second, word.forgotten) - word.forgotten;
    least = std::max(least, std::min<size_t>(count, word.writes.size()));
  }
  const bool may_differ =
      std::any_of(word.writes.begin() + static_cast<ptrdiff_t>(least), word.writes.end(), overlaps);
  if (!may_differ) return newest;
  Grid& grid = *warp.block->grid;
  if (grid.settings.stale != 0) grid.complain("a load that may see an older value", warp, lane);
  const size_t seen = least + grid.random() % (word.writes.size() - least + 1);
  word.seen[thread] = word.forgotten + seen;
  uint64_t value = word.before;
  for (size_t i = 0; i < seen; ++i) apply(value, word.writes[i]);
  uint64_t result = 0;
  std::memcpy(&result, reinterpret_cast<unsigned char*>(&value) + (address - first), bytes);
  return result;
}

}  // namespace virtual_gpu
