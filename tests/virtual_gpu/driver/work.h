#pragma once

// What a stream does, or a node of a graph.

#include <cstddef>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "driver/api.h"
#include "machine/machine.h"

namespace virtual_gpu {

struct Function;
struct Executable;

struct EmptyWork {};

struct KernelWork {
  std::shared_ptr<Function> function;
  Launch launch;
};

// Rows of so many bytes, each so far from the one before; one row of one layer most of the time.
struct CopyWork {
  struct Side {
    unsigned char* first = nullptr;
    size_t pitch = 0;
    size_t layer = 0;
    bool is_device = false;  // and must be when the copy is made
  };

  Side to, from;
  size_t bytes = 0;
  size_t rows = 1;
  size_t layers = 1;
  // What the program's memory held when it gave the order, where it may change it right after.
  std::shared_ptr<const std::vector<unsigned char>> staged;
};

struct FillWork {
  unsigned char* to = nullptr;
  unsigned value = 0;
  unsigned element_bytes = 1;
  size_t width = 0;  // elements
  size_t rows = 1;
  size_t pitch = 0;
};

struct HostWork {
  CUhostFn function = nullptr;
  void* data = nullptr;
};

// A graph within a graph, as it was when it was made one.
struct ChildWork {
  std::shared_ptr<const Executable> graph;
  // Of what is launched: an instance runs once at a time, whatever streams it is launched in.
  std::shared_ptr<std::mutex> alone;
};

using Work = std::variant<EmptyWork, KernelWork, CopyWork, FillWork, HostWork, ChildWork>;

// Nothing, if the device is in an error.
void perform(const Work& work);

// Has the stream do it, or, while the stream is captured, makes it a node of the graph.
CUresult add_work(CUstream stream, Work work);

}  // namespace virtual_gpu
