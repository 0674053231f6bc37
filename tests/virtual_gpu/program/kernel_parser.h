#pragma once

#include "program/module.h"
#include "program/reader.h"

namespace virtual_gpu {

// Where a kernel's shared memory begins, in its space: 0 is no address of a variable.
inline constexpr int64_t kSharedBegin = 1024;

// The kernel whose `.entry` has just been read. What it has of the module is its variables.
Kernel parse_kernel(Reader& reader, const Module& module);

}  // namespace virtual_gpu
