#include "tensorflow/shared/mlir_dictionary.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace tailops {
namespace {

std::string text_of(int64_t value) { return std::to_string(value) + " : i64"; }

std::string text_of(double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  char text[32];
  std::snprintf(text, sizeof(text), "0x%016" PRIX64 " : f64", bits);
  return text;
}

}  // namespace

std::string mlir_dictionary(const std::vector<CallAttribute>& attributes) {
  std::string entries;
  for (const auto& [name, value] : attributes) {
    entries += (entries.empty() ? "" : ", ") + name + " = ";
    entries += std::visit([](auto number) { return text_of(number); }, value);
  }
  return "{" + entries + "}";
}

}  // namespace tailops
