// Addresses without memory, memory without an address, and the two brought together.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "driver/api.h"
#include "driver/capture.h"
#include "driver/context.h"
#include "driver/memory.h"
#include "driver/stream.h"

namespace virtual_gpu {
namespace {

constexpr size_t kGranularity = 2 << 20;

bool is_whole(size_t bytes) { return bytes != 0 && bytes % kGranularity == 0; }

// Memory of the device as a file that has no name: it can be mapped, more than once.
class PhysicalMemory {
 public:
  explicit PhysicalMemory(size_t bytes) : bytes_(bytes), file_(memfd_create("virtual GPU", 0)) {
    is_there_ = file_ >= 0 && ftruncate(file_, static_cast<off_t>(bytes)) == 0;
  }
  PhysicalMemory(const PhysicalMemory&) = delete;
  PhysicalMemory& operator=(const PhysicalMemory&) = delete;
  ~PhysicalMemory() {
    if (file_ >= 0) close(file_);
    return_bytes(bytes_);
  }

  bool is_there() const { return is_there_; }
  size_t bytes() const { return bytes_; }
  int file() const { return file_; }

 private:
  size_t bytes_;
  int file_;
  bool is_there_;
};

struct Mapping {
  std::shared_ptr<PhysicalMemory> memory;
  size_t bytes;
  bool is_accessible;
};

struct Reservations {
  std::mutex lock;
  std::map<CUdeviceptr, size_t> ranges;
  std::map<CUdeviceptr, Mapping> mappings;

  bool holds(CUdeviceptr address, size_t bytes) const {
    auto after = ranges.upper_bound(address);
    if (after == ranges.begin()) return false;
    --after;
    return address + bytes <= after->first + after->second;
  }
};

Reservations& reservations() {
  static auto* const one = new Reservations;
  return *one;
}

Handles<PhysicalMemory, void*>& memories() {
  static auto* const all = new Handles<PhysicalMemory, void*>;
  return *all;
}

std::shared_ptr<PhysicalMemory> memory_of(CUmemGenericAllocationHandle handle) {
  return memories().find(reinterpret_cast<void*>(handle));
}

void* close_to_all(CUdeviceptr address, size_t bytes) {
  return mmap(bytes_at(address), bytes, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuMemGetAllocationGranularity(size_t* bytes, const CUmemAllocationProp*,
                                                       CUmemAllocationGranularity_flags) {
  *bytes = kGranularity;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemAddressReserve(CUdeviceptr* address, size_t bytes, size_t alignment,
                                             CUdeviceptr, unsigned long long flags) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (!is_whole(bytes) || flags != 0 || (alignment & (alignment - 1)) != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const size_t multiple = std::max(alignment, kGranularity);
  void* const pages = mmap(nullptr, bytes + multiple, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
  *address = (address_of(pages) + multiple - 1) & ~(multiple - 1);
  const size_t before = *address - address_of(pages);
  if (before > 0) munmap(pages, before);
  if (before < multiple) munmap(bytes_at(*address + bytes), multiple - before);
  const std::lock_guard guard(reservations().lock);
  reservations().ranges[*address] = bytes;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const std::lock_guard guard(reservations().lock);
  auto& ranges = reservations().ranges;
  const auto found = ranges.find(address);
  if (found == ranges.end() || found->second != bytes) return CUDA_ERROR_INVALID_VALUE;
  munmap(bytes_at(address), bytes);
  ranges.erase(found);
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t bytes,
                                     const CUmemAllocationProp* properties, unsigned long long) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (!is_whole(bytes) || properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (!reserve_bytes(bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  auto memory = std::make_shared<PhysicalMemory>(bytes);
  if (!memory->is_there()) return CUDA_ERROR_OUT_OF_MEMORY;
  *handle = reinterpret_cast<uintptr_t>(memories().add(std::move(memory)));
  return CUDA_SUCCESS;
}

// What is mapped stays until it is not.
VIRTUAL_GPU_API CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  return memories().remove(reinterpret_cast<void*>(handle)) ? CUDA_SUCCESS
                                                            : CUDA_ERROR_INVALID_VALUE;
}

VIRTUAL_GPU_API CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset,
                                  CUmemGenericAllocationHandle handle, unsigned long long flags) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto memory = memory_of(handle);
  if (!memory || flags != 0 || !is_whole(bytes) || offset + bytes > memory->bytes()) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const std::lock_guard guard(reservations().lock);
  if (!reservations().holds(address, bytes)) return CUDA_ERROR_INVALID_VALUE;
  for (const auto& [first, mapping] : reservations().mappings) {
    if (first < address + bytes && address < first + mapping.bytes) return CUDA_ERROR_INVALID_VALUE;
  }
  void* const mapped = mmap(bytes_at(address), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED,
                            memory->file(), static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
  reservations().mappings[address] = {memory, bytes, false};
  return CUDA_SUCCESS;
}

// Until then nobody may touch what is mapped.
VIRTUAL_GPU_API CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes,
                                        const CUmemAccessDesc* access, size_t count) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (count != 1 || access->flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const std::lock_guard guard(reservations().lock);
  for (auto& [first, mapping] : reservations().mappings) {
    if (first < address || first + mapping.bytes > address + bytes) continue;
    if (mapping.is_accessible) continue;
    mprotect(bytes_at(first), mapping.bytes, PROT_READ | PROT_WRITE);
    add_piece({bytes_at(first), mapping.bytes, Piece::kMapped, nullptr});
    mapping.is_accessible = true;
  }
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  wait_for_all();
  const std::lock_guard guard(reservations().lock);
  auto& mappings = reservations().mappings;
  const CUdeviceptr end = address + bytes;
  auto at = mappings.find(address);
  if (at == mappings.end()) return CUDA_ERROR_INVALID_VALUE;
  while (at != mappings.end() && at->first < end) {
    if (at->first + at->second.bytes > end) return CUDA_ERROR_INVALID_VALUE;
    if (at->second.is_accessible) remove_piece(bytes_at(at->first));
    close_to_all(at->first, at->second.bytes);
    at = mappings.erase(at);
  }
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemRetainAllocationHandle(CUmemGenericAllocationHandle* handle,
                                                     void* address) {
  const std::lock_guard guard(reservations().lock);
  const auto found = reservations().mappings.find(address_of(address));
  if (found == reservations().mappings.end()) return CUDA_ERROR_INVALID_VALUE;
  *handle = reinterpret_cast<uintptr_t>(memories().add(found->second.memory));
  return CUDA_SUCCESS;
}
