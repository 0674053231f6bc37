#pragma once

#include <atomic>

#include "cuda/device/device.h"
#include "cuda/device/limits.h"

namespace tailops {
namespace cuda {

// Those of the current device, which is asked for its facts once.
inline Limits limits_of_device() {
  constexpr int kMostDevices = 64;
  static std::atomic<int> multiprocessors[kMostDevices], shared_bytes[kMostDevices];
  int device = 0;
  device::require(cudaGetDevice(&device), "device");
  Limits limits;
  if (device >= kMostDevices) return limits;
  if (multiprocessors[device] == 0) {
    int count = 0, bytes = 0;
    device::require(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
                    "shared memory of the device");
    device::require(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device),
                    "multiprocessors of the device");
    shared_bytes[device] = bytes;
    multiprocessors[device] = count;
  }
  limits.multiprocessors = multiprocessors[device];
  limits.shared_bytes = shared_bytes[device];
  return limits;
}

}  // namespace cuda
}  // namespace tailops
