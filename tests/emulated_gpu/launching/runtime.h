#pragma once

// As much of the CUDA runtime as device.h asks for. There is no GPU: it notes what it is asked, and
// fails when told to.

#include <cuda_runtime_api.h>

#include <set>

struct Runtime {
  std::set<const void*> registered;
  std::set<const void*> loaded;
  std::set<const void*> with_all_shared_memory;
  int launches = 0;
  cudaError_t status_of_launch = cudaSuccess;
  cudaError_t last_error = cudaSuccess;
};

Runtime& runtime();
