#pragma once

// What a plan prints, and what two are compared by: name=value of all that is not nothing.

#include <cstdint>
#include <cstdio>
#include <string>

#include "cuda/device/grid.h"
#include "cuda/device/layout.h"

namespace tailops {
namespace cuda {

class Printed {
 public:
  void add(const std::string& name, const std::string& value) {
    if (!text_.empty()) text_ += ' ';
    text_ += name + '=' + value;
  }
  void add(const std::string& name, int64_t value) {
    if (value != 0) add(name, std::to_string(value));
  }
  // All digits: plans that differ print different texts.
  void add_share(const std::string& name, double value) {
    char digits[32];
    std::snprintf(digits, sizeof(digits), "%.17g", value);
    if (value != 0.0) add(name, std::string(digits));
  }
  // BLOCKSxROWSxTHREADS+BYTES
  void add(const std::string& name, const device::Grid& grid) {
    if (!grid.exists()) return;
    add(name, std::to_string(grid.blocks) + 'x' + std::to_string(grid.rows) + 'x' +
                  std::to_string(grid.threads) + '+' + std::to_string(grid.dynamic_bytes));
  }
  // BYTES@OFFSET
  void add(const std::string& name, const Array& array) {
    if (array.exists()) add(name, std::to_string(array.bytes) + '@' + std::to_string(array.offset));
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace cuda
}  // namespace tailops
