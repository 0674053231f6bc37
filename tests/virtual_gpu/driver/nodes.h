#pragma once

#include "driver/api.h"
#include "driver/work.h"

namespace virtual_gpu {

// What a node does, of what a program says.
CUresult kernel_work_of(const CUDA_KERNEL_NODE_PARAMS& parameters, Work& work);
CUresult copy_work_of(const CUDA_MEMCPY3D& parameters, Work& work);
CUresult fill_work_of(const CUDA_MEMSET_NODE_PARAMS& parameters, Work& work);

}  // namespace virtual_gpu
