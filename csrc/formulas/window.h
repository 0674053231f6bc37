#pragma once

// A window: the last errors, so many at most, in a ring.

#include <cstdint>

#include "core/host_device.h"

namespace tailops {

// `written` says how many errors have been written: all of them until the ring is full, then
// modulo its size, from the size on. A number of the errors' own type, which holds that exactly.
template <typename C>
struct Window {
  C* errors;
  C* written;
  int64_t size;
};
constexpr int64_t kMostInWindow = int64_t{1} << 23;

// Where the next error goes, and how many there are: the first ones of the ring.
struct WindowPlace {
  int64_t next;
  int64_t filled;
};

// Of what was never written by a window, that of an empty one.
template <typename C>
TAILOPS_HOST_DEVICE WindowPlace place_in_window(C written, int64_t size) {
  if (!(written >= C(0)) || !(written < static_cast<C>(2 * size))) return {0, 0};
  const int64_t count = static_cast<int64_t>(written);
  return count < size ? WindowPlace{count, count} : WindowPlace{count - size, size};
}

// `written` when so many more are, at most `size`.
template <typename C>
TAILOPS_HOST_DEVICE C written_behind(const WindowPlace& before, int64_t more, int64_t size) {
  const int64_t next = before.next + more;
  const int64_t count = before.filled < size && next < size ? next : size + next % size;
  return static_cast<C>(count);
}

}  // namespace tailops
