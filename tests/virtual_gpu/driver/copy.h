#pragma once

#include "driver/work.h"

namespace virtual_gpu {

// False if a side that should be memory of the device is not. A side may be of either kind, where
// the program does not say.
CUresult copy_of(const CUDA_MEMCPY3D& copy, CopyWork& work);
CUresult fill_of(const CUDA_MEMSET_NODE_PARAMS& fill, FillWork& work);

}  // namespace virtual_gpu
