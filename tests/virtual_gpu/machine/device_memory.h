#pragma once

// The memory that kernels may touch: pieces of the host's own, each known by its first byte.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace virtual_gpu {

struct Allocation {
  unsigned char* first = nullptr;
  size_t bytes = 0;
  // Of each byte, whether anybody has written it. Nothing is removed while a kernel runs that may
  // use it: the driver waits.
  std::shared_ptr<std::vector<uint8_t>> written;
};

// Whether the host has written all of it, or nobody has yet.
enum class Written { kAll, kNothing };

void add_memory(void* first, size_t bytes, Written written);
// False if nothing begins there.
bool remove_memory(void* first);
// The piece that the byte is in.
std::optional<Allocation> find_memory(const void* byte);
// By the host, or by a copy.
void mark_written(void* first, size_t bytes);

}  // namespace virtual_gpu
