#pragma once

// What the programs that run random problems under sanitizers make them of.

#include <cmath>
#include <cstdint>
#include <random>

namespace tailops {

class Random {
 public:
  int64_t below(int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(bits_); }

  template <typename Value, size_t n>
  Value one_of(const Value (&values)[n]) {
    return values[below(static_cast<int64_t>(n))];
  }

  // Of four families; `nan_in`: in the last, NaN is one in so many, or none.
  double residual(int family, int64_t nan_in = 0) {
    switch (family) {
      case 0:
        return normal_(bits_);
      case 1:
        return 0.5;
      case 2:
        return static_cast<double>(below(4));
      default:
        if (nan_in != 0 && below(nan_in) == 0) return std::nan("");
        return below(50) == 0 ? INFINITY : normal_(bits_);
    }
  }

 private:
  std::mt19937_64 bits_{7};
  std::normal_distribution<double> normal_;
};

}  // namespace tailops
