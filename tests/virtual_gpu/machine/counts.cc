#include "machine/counts.h"

#include <mutex>
#include <set>
#include <utility>

#include "machine/coverage.h"

namespace virtual_gpu {
namespace {

struct Kept {
  std::mutex lock;
  std::vector<Counts> counts;
  std::map<std::string, std::set<int>> lines;
};

// Never destroyed: streams count until the process ends.
Kept& kept() {
  static auto* const one = new Kept;
  return *one;
}

}  // namespace

void add_counts(Counts counts) {
  const std::lock_guard guard(kept().lock);
  kept().counts.push_back(std::move(counts));
}

std::vector<Counts> take_counts() {
  const std::lock_guard guard(kept().lock);
  return std::exchange(kept().counts, {});
}

void add_coverage(const Kernel& kernel, const std::vector<unsigned char>& executed) {
  const std::lock_guard guard(kept().lock);
  std::set<int>& lines = kept().lines[kernel.name];
  for (size_t i = 0; i < executed.size(); ++i) {
    if (executed[i] != 0) lines.insert(kernel.code[i].line);
  }
}

std::map<std::string, std::vector<int>> take_coverage() {
  const std::lock_guard guard(kept().lock);
  std::map<std::string, std::vector<int>> all;
  for (const auto& [name, lines] : kept().lines) all[name].assign(lines.begin(), lines.end());
  kept().lines.clear();
  return all;
}

}  // namespace virtual_gpu
