// Chooses the instruction set at run time.

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "core/element_types.h"
#include "cpu/simd/loops.h"

namespace tailops {

inline namespace common {
template <typename T>
const Loops<T>* loops();
}
#if defined(TAILOPS_X86_TARGETS)
namespace avx2 {
template <typename T>
const Loops<T>* loops();
}
namespace avx512 {
template <typename T>
const Loops<T>* loops();
}
#endif

namespace {

struct Target {
  const char* name;
  bool (*runs_here)();
};

// The best one first.
constexpr Target kTargets[] = {
#if defined(TAILOPS_X86_TARGETS)
    {"avx512",
     []() -> bool {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
     }},
    // Every processor with AVX2 and FMA has F16C, which not every compiler can ask for.
    {"avx2",
     []() -> bool { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#endif
#if defined(__aarch64__)
    {"neon", [] { return true; }},
#else
    {"portable", [] { return true; }},
#endif
};

template <typename T>
const Loops<T>* table_of([[maybe_unused]] const std::string& name) {
#if defined(TAILOPS_X86_TARGETS)
  if (name == "avx512") return avx512::loops<T>();
  if (name == "avx2") return avx2::loops<T>();
#endif
  return common::loops<T>();
}

const Target& chosen_at_start() {
  const char* const wanted = std::getenv("TAILOPS_INSTRUCTION_SET");
  for (const Target& target : kTargets) {
    const bool chosen = wanted == nullptr || wanted == std::string(target.name);
    if (chosen && target.runs_here()) return target;
  }
  std::string message = "TAILOPS_INSTRUCTION_SET='" + std::string(wanted) + "': must be one of";
  for (const std::string& name : instruction_sets()) message += " '" + name + "'";
  throw std::invalid_argument(message);
}

std::atomic<const Target*>& in_use() {
  static std::atomic<const Target*> target{&chosen_at_start()};
  return target;
}

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const Target& target : kTargets) {
    if (target.runs_here()) names.emplace_back(target.name);
  }
  return names;
}

std::string instruction_set() { return in_use().load()->name; }

void set_instruction_set(const std::string& name) {
  for (const Target& target : kTargets) {
    if (name == target.name && target.runs_here()) {
      in_use() = &target;
      return;
    }
  }
  throw std::invalid_argument("instruction set '" + name + "' is not one this machine runs");
}

template <typename T>
const Loops<T>& loops_of(int error_kind) {
  return table_of<T>(instruction_set())[error_kind];
}

#define TAILOPS_INSTANTIATE(T, ...) template const Loops<T>& loops_of<T>(int);
TAILOPS_FLOATS(TAILOPS_INSTANTIATE)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
