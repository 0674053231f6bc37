// Preloaded into a process of its own: lets allocations fail that this project's libraries ask for,
// and nobody else's.

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace {

struct Range {
  uintptr_t begin;
  uintptr_t end;
};

struct Code {
  std::vector<Range> ours;
  std::vector<Range> between;  // ours may have called through these
};

Code code;
std::atomic<bool> armed{false};
std::atomic<long> asked{0};
long first = LONG_MAX, last = LONG_MAX;

bool is_in(const std::vector<Range>& ranges, const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  for (const Range& range : ranges) {
    if (at >= range.begin && at < range.end) return true;
  }
  return false;
}

int add_library(dl_phdr_info* info, size_t, void*) {
  const char* const slash = std::strrchr(info->dlpi_name, '/');
  const char* const name = slash == nullptr ? info->dlpi_name : slash + 1;
  const bool ours = std::strncmp(name, "libtailops_", 11) == 0;
  // _kernels has pybind11's code in it, which nothing helps where it finds no memory. So of it only
  // what the kernels call: threads that are started.
  const bool between =
      std::strncmp(name, "libstdc++", 9) == 0 || std::strncmp(name, "_kernels", 8) == 0;
  if (!ours && !between) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    (ours ? code.ours : code.between).push_back({begin, begin + segment.p_memsz});
  }
  return 0;
}

bool is_ours(const void* caller) {
  if (is_in(code.ours, caller)) return true;
  if (!is_in(code.between, caller)) return false;
  void* frames[16];
  const int count = backtrace(frames, 16);
  int i = 0;
  while (i < count && frames[i] != caller) ++i;
  while (i < count && is_in(code.between, frames[i])) ++i;
  return i < count && is_in(code.ours, frames[i]);
}

bool must_fail(const void* caller) {
  if (!armed || !is_ours(caller)) return false;
  const long number = asked++;
  return number >= first && number <= last;
}

}  // namespace

extern "C" {

// From now on, our allocations number `from` to `to` fail.
void fail_allocations(long from, long to) {
  void* frames[2];
  backtrace(frames, 2);  // loads what it needs
  armed = false;
  code = {};
  dl_iterate_phdr(add_library, nullptr);
  asked = 0;
  first = from;
  last = to;
  armed = true;
}

void stop_failing() { armed = false; }

// How many we asked for in between.
int allocations() { return static_cast<int>(asked); }

void* realloc(void* old, size_t bytes) {
  using Realloc = void* (*)(void*, size_t);
  static const Realloc real = reinterpret_cast<Realloc>(dlsym(RTLD_NEXT, "realloc"));
  return must_fail(__builtin_return_address(0)) ? nullptr : real(old, bytes);
}
}

namespace {

void* allocate(size_t bytes, const void* caller) {
  void* const found = must_fail(caller) ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (found == nullptr) throw std::bad_alloc();
  return found;
}

}  // namespace

void* operator new(size_t bytes) { return allocate(bytes, __builtin_return_address(0)); }
void* operator new[](size_t bytes) { return allocate(bytes, __builtin_return_address(0)); }
