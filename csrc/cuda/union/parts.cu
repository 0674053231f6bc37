// Numbers in parts.

#include "cuda/device/per_group.h"
#include "cuda/union/parts.h"

namespace tailops {
namespace cuda {
namespace {

TAILOPS_DEVICE CountParts turned(int64_t count) { return parts_of_count(count); }
TAILOPS_DEVICE NumberParts turned(double number) { return parts_of_number(number); }
TAILOPS_DEVICE int64_t turned(const CountParts& parts) { return count_of_parts(parts); }
TAILOPS_DEVICE double turned(const NumberParts& parts) { return number_of_parts(parts); }

// A thread for each number.
template <typename From, typename To>
struct TurnParts {
  static constexpr int kMostThreads = 128;
  static constexpr int kLeastBlocks = 1;
  struct Shared {};

  const From* from;
  int64_t n;
  To* to;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    const int64_t i = group_of_thread();
    if (i < n) to[i] = turned(from[i]);
  }
};

template <typename From, typename To>
void turn(const From* from, int64_t n, To* to, void* stream) {
  launch_each(TurnParts<From, To>{from, n, to}, n, stream);
}

}  // namespace

void write_parts(const int64_t* counts, int64_t n, CountParts* to, void* stream) {
  turn(counts, n, to, stream);
}
void write_parts(const double* numbers, int64_t n, NumberParts* to, void* stream) {
  turn(numbers, n, to, stream);
}
void read_parts(const CountParts* parts, int64_t n, int64_t* to, void* stream) {
  turn(parts, n, to, stream);
}
void read_parts(const NumberParts* parts, int64_t n, double* to, void* stream) {
  turn(parts, n, to, stream);
}

}  // namespace cuda
}  // namespace tailops
