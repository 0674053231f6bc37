#include "driver/copy.h"

#include <memory>
#include <utility>

#include "driver/capture.h"
#include "driver/context.h"
#include "driver/memory.h"
#include "driver/stream.h"
#include "machine/complaints.h"

namespace virtual_gpu {
namespace {

enum class Place { kHost, kDevice, kEither };

// An error where memory should be of the device, all of it, and is not.
CUresult side_of(unsigned char* first, size_t bytes, Place place, CopyWork::Side& side) {
  side.first = first;
  if (place == Place::kHost || bytes == 0) return CUDA_SUCCESS;
  side.is_device = is_device_memory(first, bytes);
  if (side.is_device) return CUDA_SUCCESS;
  if (place == Place::kDevice) return CUDA_ERROR_INVALID_VALUE;
  // One that begins in the device's memory and goes on beyond it.
  return is_device_memory(first, 1) ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

size_t bytes_of_side(const CopyWork::Side& side, const CopyWork& work) {
  if (work.bytes == 0 || work.rows == 0 || work.layers == 0) return 0;
  return side.layer * (work.layers - 1) + side.pitch * (work.rows - 1) + work.bytes;
}

CUresult row_of(void* to, Place to_place, const void* from, Place from_place, size_t bytes,
                CopyWork& work) {
  work.bytes = bytes;
  const CUresult error = side_of(static_cast<unsigned char*>(to), bytes, to_place, work.to);
  if (error != CUDA_SUCCESS) return error;
  auto* const source = static_cast<unsigned char*>(const_cast<void*>(from));
  return side_of(source, bytes, from_place, work.from);
}

bool is_of_program(const CopyWork::Side& side) {
  return !side.is_device && is_pageable(side.first);
}

// As CUDA promises: what a program has of the system may be changed, or be used, as soon as the
// call is back.
CUresult copy_in_stream(CopyWork work, CUstream handle) {
  const std::shared_ptr<Stream> stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (bytes_of_side(work.to, work) == 0) return CUDA_SUCCESS;
  if (is_capturing(handle)) return add_work(handle, std::move(work));
  bool waits = is_of_program(work.to);
  if (is_of_program(work.from)) {
    if (work.rows == 1 && work.layers == 1) {
      work.staged = std::make_shared<const std::vector<unsigned char>>(
          work.from.first, work.from.first + work.bytes);
    } else {
      waits = true;
    }
  }
  const CUresult error = add_work(handle, std::move(work));
  if (error != CUDA_SUCCESS || !waits) return error;
  wait_for(stream);
  return device_error();
}

CUresult copy_and_wait(CopyWork work) {
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  if (const CUresult error = copy_in_stream(std::move(work), nullptr); error != CUDA_SUCCESS) {
    return error;
  }
  wait_for(stream_of(nullptr));
  return device_error();
}

CUresult copy_row(void* to, Place to_place, const void* from, Place from_place, size_t bytes) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  CopyWork work;
  const CUresult error = row_of(to, to_place, from, from_place, bytes, work);
  return error != CUDA_SUCCESS ? error : copy_and_wait(std::move(work));
}

CUresult copy_row(void* to, Place to_place, const void* from, Place from_place, size_t bytes,
                  CUstream stream) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  CopyWork work;
  const CUresult error = row_of(to, to_place, from, from_place, bytes, work);
  return error != CUDA_SUCCESS ? error : copy_in_stream(std::move(work), stream);
}

CUDA_MEMCPY3D in_space(const CUDA_MEMCPY2D& copy) {
  CUDA_MEMCPY3D all{};
  all.srcXInBytes = copy.srcXInBytes;
  all.srcY = copy.srcY;
  all.srcMemoryType = copy.srcMemoryType;
  all.srcHost = copy.srcHost;
  all.srcDevice = copy.srcDevice;
  all.srcPitch = copy.srcPitch;
  all.dstXInBytes = copy.dstXInBytes;
  all.dstY = copy.dstY;
  all.dstMemoryType = copy.dstMemoryType;
  all.dstHost = copy.dstHost;
  all.dstDevice = copy.dstDevice;
  all.dstPitch = copy.dstPitch;
  all.WidthInBytes = copy.WidthInBytes;
  all.Height = copy.Height;
  all.Depth = 1;
  return all;
}

struct Box {
  CUmemorytype type;
  const void* host;
  CUdeviceptr device;
  size_t pitch, height, x, y, z;
};

CUresult side_of(const Box& box, CopyWork& work, CopyWork::Side& side) {
  if (box.type == CU_MEMORYTYPE_ARRAY) {
    complain("copies of arrays are not supported");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  side.pitch = box.pitch == 0 ? work.bytes : box.pitch;
  side.layer = side.pitch * (box.height == 0 ? work.rows : box.height);
  const bool is_host = box.type == CU_MEMORYTYPE_HOST;
  auto* first =
      is_host ? static_cast<unsigned char*>(const_cast<void*>(box.host)) : bytes_at(box.device);
  first += box.z * side.layer + box.y * side.pitch + box.x;
  const Place place = is_host                             ? Place::kHost
                      : box.type == CU_MEMORYTYPE_UNIFIED ? Place::kEither
                                                          : Place::kDevice;
  return side_of(first, bytes_of_side(side, work), place, side);
}

}  // namespace

CUresult copy_of(const CUDA_MEMCPY3D& copy, CopyWork& work) {
  work.bytes = copy.WidthInBytes;
  work.rows = copy.Height;
  work.layers = copy.Depth;
  const CUresult error = side_of({copy.dstMemoryType, copy.dstHost, copy.dstDevice, copy.dstPitch,
                                  copy.dstHeight, copy.dstXInBytes, copy.dstY, copy.dstZ},
                                 work, work.to);
  if (error != CUDA_SUCCESS) return error;
  return side_of({copy.srcMemoryType, copy.srcHost, copy.srcDevice, copy.srcPitch, copy.srcHeight,
                  copy.srcXInBytes, copy.srcY, copy.srcZ},
                 work, work.from);
}

CUresult fill_of(const CUDA_MEMSET_NODE_PARAMS& fill, FillWork& work) {
  const unsigned element = fill.elementSize;
  if (element != 1 && element != 2 && element != 4) return CUDA_ERROR_INVALID_VALUE;
  if (fill.dst % element != 0 || (fill.height > 1 && fill.pitch < fill.width * element)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  work = {bytes_at(fill.dst), fill.value, element, fill.width, fill.height, fill.pitch};
  const size_t bytes = work.pitch * (work.rows - 1) + work.width * element;
  if (work.rows == 0 || work.width == 0) {
    work.rows = 1;
    work.width = 0;
    return CUDA_SUCCESS;
  }
  return is_device_memory(work.to, bytes) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

namespace {

CUresult fill(CUdeviceptr to, size_t pitch, unsigned value, unsigned element, size_t width,
              size_t height, CUstream stream) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  FillWork work;
  CUDA_MEMSET_NODE_PARAMS parameters{};
  parameters.dst = to;
  parameters.pitch = pitch;
  parameters.value = value;
  parameters.elementSize = element;
  parameters.width = width;
  parameters.height = height;
  if (const CUresult error = fill_of(parameters, work); error != CUDA_SUCCESS) return error;
  return work.width == 0 ? CUDA_SUCCESS : add_work(stream, work);
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return copy_row(bytes_at(to), Place::kEither, bytes_at(from), Place::kEither, bytes);
}

VIRTUAL_GPU_API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  return copy_row(bytes_at(to), Place::kDevice, from, Place::kHost, bytes);
}

VIRTUAL_GPU_API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  return copy_row(to, Place::kHost, bytes_at(from), Place::kDevice, bytes);
}

// Between two places of the device the host does not wait.
VIRTUAL_GPU_API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return copy_row(bytes_at(to), Place::kDevice, bytes_at(from), Place::kDevice, bytes, nullptr);
}

VIRTUAL_GPU_API CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                       CUstream stream) {
  return copy_row(bytes_at(to), Place::kEither, bytes_at(from), Place::kEither, bytes, stream);
}

VIRTUAL_GPU_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes,
                                              CUstream stream) {
  return copy_row(bytes_at(to), Place::kDevice, from, Place::kHost, bytes, stream);
}

VIRTUAL_GPU_API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes,
                                              CUstream stream) {
  return copy_row(to, Place::kHost, bytes_at(from), Place::kDevice, bytes, stream);
}

VIRTUAL_GPU_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                              CUstream stream) {
  return copy_row(bytes_at(to), Place::kDevice, bytes_at(from), Place::kDevice, bytes, stream);
}

VIRTUAL_GPU_API CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D* copy) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  CopyWork work;
  const CUresult error = copy_of(*copy, work);
  return error != CUDA_SUCCESS ? error : copy_and_wait(std::move(work));
}

VIRTUAL_GPU_API CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* copy, CUstream stream) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  CopyWork work;
  const CUresult error = copy_of(*copy, work);
  return error != CUDA_SUCCESS ? error : copy_in_stream(std::move(work), stream);
}

VIRTUAL_GPU_API CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* copy) {
  const CUDA_MEMCPY3D all = in_space(*copy);
  return cuMemcpy3D_v2(&all);
}

VIRTUAL_GPU_API CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D* copy) {
  return cuMemcpy2D_v2(copy);
}

VIRTUAL_GPU_API CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* copy, CUstream stream) {
  const CUDA_MEMCPY3D all = in_space(*copy);
  return cuMemcpy3DAsync_v2(&all, stream);
}

VIRTUAL_GPU_API CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  return fill(to, 0, value, 1, count, 1, nullptr);
}

VIRTUAL_GPU_API CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  return fill(to, 0, value, 2, count, 1, nullptr);
}

VIRTUAL_GPU_API CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  return fill(to, 0, value, 4, count, 1, nullptr);
}

VIRTUAL_GPU_API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count,
                                         CUstream stream) {
  return fill(to, 0, value, 1, count, 1, stream);
}

VIRTUAL_GPU_API CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count,
                                          CUstream stream) {
  return fill(to, 0, value, 2, count, 1, stream);
}

VIRTUAL_GPU_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count,
                                          CUstream stream) {
  return fill(to, 0, value, 4, count, 1, stream);
}

VIRTUAL_GPU_API CUresult cuMemsetD2D8Async(CUdeviceptr to, size_t pitch, unsigned char value,
                                           size_t width, size_t height, CUstream stream) {
  return fill(to, pitch, value, 1, width, height, stream);
}
