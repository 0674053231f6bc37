#pragma once

// The registers that PTX has by itself: %tid.x, %laneid, %clock64, ...

#include <cstdint>
#include <string>

#include "machine/warp.h"

namespace virtual_gpu {

bool is_special(const std::string& name);

// What each lane reads of it. The clocks are told how many instructions have been executed.
uint64_t value_of_special(const std::string& name, const Warp& warp, int lane);

}  // namespace virtual_gpu
