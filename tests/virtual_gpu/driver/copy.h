#pragma once

#include "driver/work.h"

namespace virtual_gpu {

// CUDA_ERROR_INVALID_VALUE if a side should be memory of the device and is not. It may be of either
// kind where the program does not say.
CUresult copy_of(const CUDA_MEMCPY3D& copy, CopyWork& work);
CUresult fill_of(const CUDA_MEMSET_NODE_PARAMS& fill, FillWork& work);

}  // namespace virtual_gpu
