#include "driver/work.h"

#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "driver/capture.h"
#include "driver/context.h"
#include "driver/executable.h"
#include "driver/launch.h"
#include "driver/memory.h"
#include "driver/stream.h"
#include "machine/complaints.h"

namespace virtual_gpu {
namespace {

// Memory that was freed since the order was given, as a graph's may be.
bool is_lost(const CopyWork::Side& side, const CopyWork& work) {
  if (!side.is_device) return false;
  const size_t bytes = side.layer * (work.layers - 1) + side.pitch * (work.rows - 1) + work.bytes;
  return !is_device_memory(side.first, bytes);
}

void fail(const char* what) {
  complain(std::string(what) + " memory that is not there any more");
  set_error(CUDA_ERROR_ILLEGAL_ADDRESS);
}

struct Performer {
  void operator()(const EmptyWork&) const {}

  void operator()(const KernelWork& work) const { perform_launch(*work.function, work.launch); }

  void operator()(const CopyWork& work) const {
    if (is_lost(work.to, work) || is_lost(work.from, work)) return fail("a copy of");
    const unsigned char* const from = work.staged ? work.staged->data() : work.from.first;
    for (size_t layer = 0; layer < work.layers; ++layer) {
      for (size_t row = 0; row < work.rows; ++row) {
        unsigned char* const to = work.to.first + layer * work.to.layer + row * work.to.pitch;
        std::memmove(to, from + layer * work.from.layer + row * work.from.pitch, work.bytes);
        mark_as_written(to, work.bytes);
      }
    }
  }

  void operator()(const FillWork& work) const {
    if (!is_device_memory(work.to,
                          work.pitch * (work.rows - 1) + work.width * work.element_bytes)) {
      return fail("a memset of");
    }
    for (size_t row = 0; row < work.rows; ++row) {
      unsigned char* const to = work.to + row * work.pitch;
      for (size_t i = 0; i < work.width; ++i) {
        std::memcpy(to + i * work.element_bytes, &work.value, work.element_bytes);
      }
      mark_as_written(to, work.width * work.element_bytes);
    }
  }

  void operator()(const HostWork& work) const {
    const InHostFunction scope;
    work.function(work.data);
  }

  void operator()(const ChildWork& work) const {
    std::unique_lock<std::mutex> guard;
    if (work.alone) guard = std::unique_lock(*work.alone);
    perform_graph(*work.graph);
  }
};

}  // namespace

void perform(const Work& work) {
  if (device_error() == CUDA_SUCCESS) std::visit(Performer(), work);
}

CUresult add_work(CUstream handle, Work work) {
  const std::shared_ptr<Stream> stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  bool is_captured = false;
  const CUresult error = capture_work(*stream, work, is_captured);
  if (is_captured || error != CUDA_SUCCESS) return error;
  enqueue(stream, [work = std::move(work)] { perform(work); });
  return CUDA_SUCCESS;
}

}  // namespace virtual_gpu
