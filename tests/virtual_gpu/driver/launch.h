#pragma once

#include "driver/api.h"
#include "driver/work.h"

namespace virtual_gpu {

// Shared memory that a launch may ask for, besides what the kernel has by itself.
int most_dynamic_bytes(const Function& function);

struct Shape {
  unsigned grid[3];
  unsigned block[3];
  unsigned dynamic_bytes;
};

// Checks a launch as a driver does, and takes its arguments: an array of pointers to each, or a
// buffer that holds them all.
CUresult launch_of(CUfunction function, const Shape& shape, void** arguments, void** extra,
                   KernelWork& work);

// A fault becomes the device's error.
void perform_launch(const Function& function, const Launch& launch);

}  // namespace virtual_gpu
