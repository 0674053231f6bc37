// What memory does for the accesses of a warp: sectors of global memory, banks of shared memory.

#include <algorithm>
#include <set>

#include "machine/access.h"
#include "machine/grid.h"

namespace virtual_gpu {
namespace {

constexpr uint64_t kSector = 32;
constexpr uint64_t kBanks = 32, kBankBytes = 4;

int64_t ceiling(int64_t value, int64_t by) { return (value + by - 1) / by; }

int64_t sectors(uint32_t mask, const uint64_t (&addresses)[32]) {
  uint64_t touched[32];
  size_t count = 0;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    const uint64_t address = addresses[__builtin_ctz(left)];
    // An access is aligned to its size: it is in one sector, as none is larger.
    touched[count++] = address / kSector;
  }
  std::sort(touched, touched + count);
  return std::unique(touched, touched + count) - touched;
}

// Different words of one bank are one pass each; the same word is for all. Accesses of 8 bytes are
// done by half warps, those of 16 by quarters.
int64_t passes(uint32_t mask, const uint64_t (&addresses)[32], size_t bytes) {
  const int lanes_at_once = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  int64_t all = 0;
  for (int first = 0; first < 32; first += lanes_at_once) {
    std::set<uint64_t> words[kBanks];
    for (int lane = first; lane < first + lanes_at_once; ++lane) {
      if ((mask >> lane & 1) == 0) continue;
      const uint64_t begin = addresses[lane] / kBankBytes;
      for (uint64_t word = begin; word <= (addresses[lane] + bytes - 1) / kBankBytes; ++word) {
        words[word % kBanks].insert(word);
      }
    }
    size_t most = 0;
    for (const auto& bank : words) most = std::max(most, bank.size());
    all += static_cast<int64_t>(most);
  }
  return all;
}

int64_t fewest_passes(uint32_t mask, const uint64_t (&addresses)[32], size_t bytes) {
  std::set<uint64_t> words;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    words.insert(addresses[__builtin_ctz(left)]);
  }
  const auto all = static_cast<int64_t>(words.size() * std::max<size_t>(bytes, kBankBytes));
  return std::max<int64_t>(1, ceiling(all, kBanks * kBankBytes));
}

void add(Traffic& to, const Traffic& one) {
  to.requests += one.requests;
  to.bytes += one.bytes;
  to.transactions += one.transactions;
  to.fewest += one.fewest;
}

}  // namespace

void count_access(Warp& warp, const Instruction& instruction, uint32_t mask,
                  const uint64_t (&addresses)[32], Space space, size_t bytes, Use use) {
  if (space == Space::kParameters || space == Space::kConstant) return;
  Counts& counts = warp.block->grid->counts;
  Traffic one;
  one.requests = 1;
  one.bytes = static_cast<int64_t>(bytes) * __builtin_popcount(mask);
  if (space == Space::kShared) {
    one.transactions = passes(mask, addresses, bytes);
    one.fewest = fewest_passes(mask, addresses, bytes);
    add(counts.shared, one);
  } else if (space == Space::kLocal) {
    // The local memory of a warp's threads is interleaved: words of the same address lie together.
    one.transactions = one.fewest = ceiling(one.bytes, kSector);
    add(counts.local, one);
    return;
  } else {
    one.transactions = sectors(mask, addresses);
    one.fewest = std::min(one.transactions, ceiling(one.bytes, kSector));
    add(use == Use::kReads    ? counts.loads
        : use == Use::kWrites ? counts.stores
                              : counts.atomics,
        one);
  }
  add(counts.lines[instruction.line], one);
}

}  // namespace virtual_gpu
