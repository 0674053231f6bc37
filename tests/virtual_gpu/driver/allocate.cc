// Memory of the device and pinned memory of the host: got, given back, asked about.

#include <sys/mman.h>

#include <cstring>

#include "driver/api.h"
#include "driver/capture.h"
#include "driver/context.h"
#include "driver/memory.h"
#include "driver/stream.h"
#include "machine/complaints.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

// No address is aligned better than the driver promises.
constexpr size_t kAlignment = 512;

CUresult allocate(size_t bytes, Piece::Kind kind, unsigned char*& first) {
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  const size_t mapped = bytes + kAlignment;
  void* const pages = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
  first = static_cast<unsigned char*>(pages) + kAlignment;
  const auto release = [pages, mapped] { munmap(pages, mapped); };
  const CUresult error = add_piece({first, bytes, kind, release});
  if (error != CUDA_SUCCESS) {
    release();
    return error;
  }
  if (settings().dirty != 0) std::memset(first, 0xff, bytes);
  return CUDA_SUCCESS;
}

CUresult allocate_for_program(size_t bytes, Piece::Kind kind, CUdeviceptr* address) {
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  if (address == nullptr) return CUDA_ERROR_INVALID_VALUE;
  unsigned char* first = nullptr;
  const CUresult error = allocate(bytes, kind, first);
  *address = address_of(first);
  say("%zu bytes at %p: error %d", bytes, static_cast<void*>(first), error);
  return error;
}

bool is_host_piece(const void* first) {
  const auto piece = find_piece(first);
  return piece && piece->first == first && piece->kind == Piece::kHost;
}

bool is_device_piece(const void* first) {
  const auto piece = find_piece(first);
  return piece && piece->first == first &&
         (piece->kind == Piece::kDevice || piece->kind == Piece::kManaged);
}

// That the program may use as well.
bool is_of_host(const Piece& piece) {
  return piece.kind == Piece::kHost || piece.kind == Piece::kManaged;
}

CUresult release(void* first, bool (*is_right)(const void*)) {
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  if (!is_right(first)) return CUDA_ERROR_INVALID_VALUE;
  wait_for_all();
  remove_piece(first);
  return device_error();
}

// The only pool.
int pool_storage;
CUmemoryPool the_pool() { return reinterpret_cast<CUmemoryPool>(&pool_storage); }

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  return allocate_for_program(bytes, Piece::kDevice, address);
}

VIRTUAL_GPU_API CUresult cuMemAllocManaged(CUdeviceptr* address, size_t bytes, unsigned) {
  return allocate_for_program(bytes, Piece::kManaged, address);
}

VIRTUAL_GPU_API CUresult cuMemFree_v2(CUdeviceptr address) {
  if (address == 0) return ready();
  return release(bytes_at(address), is_device_piece);
}

VIRTUAL_GPU_API CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  if (!stream_of(handle)) return CUDA_ERROR_INVALID_HANDLE;
  if (is_capturing(handle)) {
    complain("graphs cannot hold what cuMemAllocAsync does");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  return allocate_for_program(bytes, Piece::kDevice, address);
}

VIRTUAL_GPU_API CUresult cuMemAllocFromPoolAsync(CUdeviceptr* address, size_t bytes,
                                                 CUmemoryPool pool, CUstream handle) {
  if (pool != the_pool()) return CUDA_ERROR_INVALID_VALUE;
  return cuMemAllocAsync(address, bytes, handle);
}

VIRTUAL_GPU_API CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (is_capturing(handle)) {
    complain("graphs cannot hold what cuMemFreeAsync does");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  void* const first = bytes_at(address);
  if (!is_device_piece(first)) return CUDA_ERROR_INVALID_VALUE;
  enqueue(stream, [first] {
    if (!remove_piece(first)) complain("cuMemFreeAsync: memory that was freed before");
  });
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
  CUdeviceptr address = 0;
  const CUresult error = allocate_for_program(bytes, Piece::kHost, &address);
  *memory = bytes_at(address);
  return error;
}

VIRTUAL_GPU_API CUresult cuMemAllocHost_v2(void** memory, size_t bytes) {
  return cuMemHostAlloc(memory, bytes, 0);
}

VIRTUAL_GPU_API CUresult cuMemFreeHost(void* memory) { return release(memory, is_host_piece); }

VIRTUAL_GPU_API CUresult cuMemHostRegister_v2(void* memory, size_t bytes, unsigned) {
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  if (memory == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  if (find_piece(memory)) return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
  return add_piece({static_cast<unsigned char*>(memory), bytes, Piece::kHost, nullptr});
}

VIRTUAL_GPU_API CUresult cuMemHostUnregister(void* memory) {
  const CUresult error = release(memory, is_host_piece);
  return error == CUDA_ERROR_INVALID_VALUE ? CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED : error;
}

VIRTUAL_GPU_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* memory,
                                                      unsigned) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto piece = find_piece(memory);
  if (!piece || !is_of_host(*piece)) return CUDA_ERROR_INVALID_VALUE;
  *address = address_of(memory);
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemHostGetFlags(unsigned* flags, void* memory) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto piece = find_piece(memory);
  if (!piece || piece->kind != Piece::kHost) return CUDA_ERROR_INVALID_VALUE;
  *flags = CU_MEMHOSTALLOC_DEVICEMAP;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  *free = free_bytes();
  *total = static_cast<size_t>(settings().memory_mb) << 20;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemGetAddressRange_v2(CUdeviceptr* first, size_t* bytes,
                                                 CUdeviceptr address) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto piece = find_piece(bytes_at(address));
  if (!piece) return CUDA_ERROR_NOT_FOUND;
  if (first != nullptr) *first = address_of(piece->first);
  if (bytes != nullptr) *bytes = piece->bytes;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuPointerGetAttribute(void* value, CUpointer_attribute which,
                                               CUdeviceptr address) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto piece = find_piece(bytes_at(address));
  if (!piece) return CUDA_ERROR_INVALID_VALUE;
  switch (which) {
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      *static_cast<unsigned*>(value) =
          piece->kind == Piece::kHost ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      *static_cast<CUcontext*>(value) = the_context();
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      *static_cast<int*>(value) = 0;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      *static_cast<CUdeviceptr*>(value) = address;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      if (!is_of_host(*piece)) return CUDA_ERROR_INVALID_VALUE;
      *static_cast<void**>(value) = bytes_at(address);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      *static_cast<unsigned*>(value) = piece->kind == Piece::kManaged ? 1 : 0;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      *static_cast<void**>(value) = piece->first;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
      *static_cast<size_t*>(value) = piece->bytes;
      return CUDA_SUCCESS;
    default:
      complain("cuPointerGetAttribute: attribute " + std::to_string(which) + " is not known");
      return CUDA_ERROR_NOT_SUPPORTED;
  }
}

VIRTUAL_GPU_API CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice) {
  *pool = the_pool();
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice) {
  *pool = the_pool();
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuMemPoolSetAttribute(CUmemoryPool pool, CUmemPool_attribute, void*) {
  return pool == the_pool() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

VIRTUAL_GPU_API CUresult cuMemPoolTrimTo(CUmemoryPool pool, size_t) {
  return pool == the_pool() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
