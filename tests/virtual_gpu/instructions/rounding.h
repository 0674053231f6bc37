#pragma once

// The rounding that a form asks for, while its lanes are computed.

#include <cfenv>

#include "program/form.h"

namespace virtual_gpu {

// FE_TONEAREST for .rn, and where none is named.
inline int take_rounding(Form& form) {
  return form.take_one_of<int>(
      {{"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}},
      FE_TONEAREST);
}

// -frounding-math keeps the compiler from computing with constants beforehand.
class Rounding {
 public:
  explicit Rounding(int mode) : before_(std::fegetround()) { std::fesetround(mode); }
  ~Rounding() { std::fesetround(before_); }
  Rounding(const Rounding&) = delete;
  Rounding& operator=(const Rounding&) = delete;

 private:
  int before_;
};

}  // namespace virtual_gpu
