#include "machine/device_memory.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

namespace virtual_gpu {
namespace {

struct Pieces {
  std::mutex lock;
  std::map<uintptr_t, Allocation> by_address;

  // The last one that begins at the byte or before it, if the byte is in it.
  Allocation* find(const void* byte) {
    const auto address = reinterpret_cast<uintptr_t>(byte);
    auto after = by_address.upper_bound(address);
    if (after == by_address.begin()) return nullptr;
    Allocation& piece = (--after)->second;
    return address < after->first + piece.bytes ? &piece : nullptr;
  }
};

// Never destroyed: modules are unloaded when the process ends, and later.
Pieces& pieces() {
  static auto* const all = new Pieces;
  return *all;
}

}  // namespace

void add_memory(void* first, size_t bytes, Written written) {
  const std::lock_guard guard(pieces().lock);
  const uint8_t byte = written == Written::kAll ? 1 : 0;
  pieces().by_address[reinterpret_cast<uintptr_t>(first)] = {
      static_cast<unsigned char*>(first), bytes,
      std::make_shared<std::vector<uint8_t>>(bytes, byte)};
}

bool remove_memory(void* first) {
  const std::lock_guard guard(pieces().lock);
  return pieces().by_address.erase(reinterpret_cast<uintptr_t>(first)) != 0;
}

std::optional<Allocation> find_memory(const void* byte) {
  const std::lock_guard guard(pieces().lock);
  const Allocation* const found = pieces().find(byte);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

void mark_written(void* first, size_t bytes) {
  const std::lock_guard guard(pieces().lock);
  const Allocation* const found = pieces().find(first);
  if (found == nullptr) return;
  const auto offset = static_cast<size_t>(static_cast<unsigned char*>(first) - found->first);
  std::memset(found->written->data() + offset, 1, std::min(bytes, found->bytes - offset));
}

}  // namespace virtual_gpu
