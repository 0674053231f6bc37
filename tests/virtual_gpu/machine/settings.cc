#include "machine/settings.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace virtual_gpu {
namespace {

constexpr std::pair<std::string_view, long Settings::*> kNames[] = {
    {"races", &Settings::races},
    {"initialisation", &Settings::initialisation},
    {"weak", &Settings::weak},
    {"stale", &Settings::stale},
    {"count", &Settings::count},
    {"seed", &Settings::seed},
    {"resident", &Settings::resident},
    {"slice", &Settings::slice},
    {"split", &Settings::split},
    {"steps", &Settings::steps},
    {"capability", &Settings::capability},
    {"multiprocessors", &Settings::multiprocessors},
    {"memory_mb", &Settings::memory_mb},
    {"dirty", &Settings::dirty},
    {"delay_us", &Settings::delay_us},
    {"log", &Settings::log},
};

Settings from_environment() {
  Settings found;
  for (const auto& [name, setting] : kNames) {
    std::string variable = "VIRTUAL_GPU_";
    for (const char c : name) variable += static_cast<char>(std::toupper(c));
    const char* const text = std::getenv(variable.c_str());
    if (text == nullptr || *text == '\0') continue;
    char* end = nullptr;
    found.*setting = std::strtol(text, &end, 10);
    if (*end == '\0') continue;
    std::fprintf(stderr, "virtual GPU: %s=%s is not a number\n", variable.c_str(), text);
    std::abort();
  }
  return found;
}

}  // namespace

Settings& settings() {
  static Settings all = from_environment();
  return all;
}

bool set(std::string_view name, long value) {
  for (const auto& [known, setting] : kNames) {
    if (known != name) continue;
    settings().*setting = value;
    return true;
  }
  return false;
}

}  // namespace virtual_gpu
