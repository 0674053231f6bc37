#pragma once

// The memory that a program has of the driver.

#include <cstddef>
#include <functional>
#include <optional>

#include "driver/api.h"

namespace virtual_gpu {

struct Piece {
  // kMapped: of the device too, and counted when the memory was made.
  enum Kind { kDevice, kMapped, kManaged, kHost };

  unsigned char* first = nullptr;
  size_t bytes = 0;
  Kind kind = kDevice;
  std::function<void()> release;  // gives it back to the system
};

// Counted against the memory that the device has, unless it is the host's.
CUresult add_piece(Piece piece);
// That begins there; not while a kernel runs. False if there is none.
bool remove_piece(const void* first);
std::optional<Piece> find_piece(const void* byte);

// Whether kernels may use all of it; false for the host's, pinned or not.
bool is_device_memory(const void* first, size_t bytes);
// Whether the program has it of the system: a copy of it is not asynchronous.
bool is_pageable(const void* first);
void mark_as_written(void* first, size_t bytes);

size_t free_bytes();
// Counts physical memory that has no address yet.
bool reserve_bytes(size_t bytes);
void return_bytes(size_t bytes);

}  // namespace virtual_gpu
