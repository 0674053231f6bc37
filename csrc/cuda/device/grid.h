#pragma once

#include <cstdint>

namespace tailops {
namespace device {

// How many blocks and threads a kernel is launched with. Of no blocks: it is not.
struct Grid {
  int64_t blocks = 0;
  int64_t rows = 0;
  int threads = 0;
  int64_t dynamic_bytes = 0;  // of shared memory

  bool exists() const { return blocks != 0; }
};

}  // namespace device
}  // namespace tailops
