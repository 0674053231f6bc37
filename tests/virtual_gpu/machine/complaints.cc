#include "machine/complaints.h"

#include <cstdio>
#include <mutex>
#include <utility>

namespace virtual_gpu {
namespace {

// Never destroyed: streams complain until the process ends.
std::mutex& lock() {
  static auto* const one = new std::mutex;
  return *one;
}

std::vector<std::string>& complaints() {
  static auto* const all = new std::vector<std::string>;
  return *all;
}

}  // namespace

void complain(const std::string& what) {
  const std::lock_guard guard(lock());
  std::fprintf(stderr, "virtual GPU: %s\n", what.c_str());
  complaints().push_back(what);
}

std::vector<std::string> take_complaints() {
  const std::lock_guard guard(lock());
  return std::exchange(complaints(), {});
}

}  // namespace virtual_gpu
