#include "driver/memory.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "driver/context.h"
#include "machine/device_memory.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

struct Memory {
  std::mutex lock;
  std::map<uintptr_t, Piece> pieces;
  size_t used = 0;

  Piece* find(const void* byte) {
    const auto address = reinterpret_cast<uintptr_t>(byte);
    auto after = pieces.upper_bound(address);
    if (after == pieces.begin()) return nullptr;
    Piece& piece = (--after)->second;
    return address < after->first + piece.bytes ? &piece : nullptr;
  }
  size_t total() const { return static_cast<size_t>(settings().memory_mb) << 20; }
};

Memory& memory() {
  static auto* const one = new Memory;
  return *one;
}

bool counts(const Piece& piece) {
  return piece.kind == Piece::kDevice || piece.kind == Piece::kManaged;
}

}  // namespace

CUresult add_piece(Piece piece) {
  const bool is_counted = counts(piece);
  const std::lock_guard guard(memory().lock);
  if (is_counted && piece.bytes > memory().total() - std::min(memory().used, memory().total())) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  if (is_counted) memory().used += piece.bytes;
  // What the host writes into its memory, it writes unseen.
  const bool is_seen = piece.kind == Piece::kDevice || piece.kind == Piece::kMapped;
  add_memory(piece.first, piece.bytes, is_seen ? Written::kNothing : Written::kAll);
  memory().pieces[reinterpret_cast<uintptr_t>(piece.first)] = std::move(piece);
  return CUDA_SUCCESS;
}

bool remove_piece(const void* first) {
  const std::lock_guard device(device_lock());
  const std::lock_guard guard(memory().lock);
  const auto found = memory().pieces.find(reinterpret_cast<uintptr_t>(first));
  if (found == memory().pieces.end()) return false;
  const Piece& piece = found->second;
  if (counts(piece)) memory().used -= piece.bytes;
  remove_memory(piece.first);
  if (piece.release) piece.release();
  memory().pieces.erase(found);
  return true;
}

std::optional<Piece> find_piece(const void* byte) {
  const std::lock_guard guard(memory().lock);
  const Piece* const found = memory().find(byte);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

bool is_device_memory(const void* first, size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(first);
  const unsigned char* const end = at + bytes;
  do {
    // Pieces of a reserved range may lie side by side, and a module's variables are no pieces.
    const std::optional<Allocation> found = find_memory(at);
    if (!found) return false;
    const std::optional<Piece> piece = find_piece(at);
    if (piece && piece->kind == Piece::kHost) return false;
    at = found->first + found->bytes;
  } while (at < end);
  return true;
}

bool is_pageable(const void* first) { return !find_memory(first); }

void mark_as_written(void* first, size_t bytes) {
  auto* at = static_cast<unsigned char*>(first);
  unsigned char* const end = at + bytes;
  while (at < end) {
    const std::optional<Allocation> found = find_memory(at);
    if (!found) return;
    mark_written(at, static_cast<size_t>(end - at));
    at = found->first + found->bytes;
  }
}

size_t free_bytes() {
  const std::lock_guard guard(memory().lock);
  return memory().total() - std::min(memory().used, memory().total());
}

bool reserve_bytes(size_t bytes) {
  const std::lock_guard guard(memory().lock);
  if (memory().used + bytes > memory().total()) return false;
  memory().used += bytes;
  return true;
}

void return_bytes(size_t bytes) {
  const std::lock_guard guard(memory().lock);
  memory().used -= bytes;
}

}  // namespace virtual_gpu
