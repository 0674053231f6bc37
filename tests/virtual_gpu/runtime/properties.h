#pragma once

#include <cstddef>

namespace virtual_gpu {

// cudaDeviceProp of CUDA 12, which TensorFlow and JAX are built with and the header of CUDA 13 does
// not have. What is 0 here in any case has no name.
struct PropertiesOfCuda12 {
  char name[256];
  unsigned char ids[24];
  unsigned int id_mask;
  size_t totalGlobalMem;
  size_t sharedMemPerBlock;
  int regsPerBlock;
  int warpSize;
  size_t memPitch;
  int maxThreadsPerBlock;
  int maxThreadsDim[3];
  int maxGridSize[3];
  int clockRate;
  size_t totalConstMem;
  int major;
  int minor;
  size_t textureAlignment;
  size_t texturePitchAlignment;
  int deviceOverlap;
  int multiProcessorCount;
  int limits_and_modes[4];
  int textures_and_surfaces[40];
  size_t surfaceAlignment;
  int concurrentKernels;
  int places[5];
  int asyncEngineCount;
  int unifiedAddressing;
  int memoryClockRate;
  int memoryBusWidth;
  int l2CacheSize;
  int persistingL2CacheMaxSize;
  int maxThreadsPerMultiProcessor;
  int caches[3];
  size_t sharedMemPerMultiprocessor;
  int regsPerMultiprocessor;
  int managedMemory;
  int abilities[9];
  size_t sharedMemPerBlockOptin;
  int page_tables[2];
  int maxBlocksPerMultiProcessor;
  int windows;
  size_t reservedSharedMemPerBlock;
  int more_abilities[16];
  int reserved[60];
};
static_assert(offsetof(PropertiesOfCuda12, multiProcessorCount) == 388);
static_assert(offsetof(PropertiesOfCuda12, maxBlocksPerMultiProcessor) == 712);
static_assert(sizeof(PropertiesOfCuda12) == 1032);

}  // namespace virtual_gpu
