#pragma once

// What the programs that run random problems under sanitizers make them of.

#include <cmath>
#include <cstdint>
#include <random>

#include "core/float_types.h"
#include "core/ordered_bits.h"

namespace tailops {

constexpr int kFamilies = 6;

// Families from here on are numbers up to the type's largest: for selections. Sums of losses are
// infinite, or not, by the order in which they are added up.
constexpr int kWholeRange = 4;

class Random {
 public:
  int64_t below(int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(bits_); }

  template <typename Value, size_t n>
  Value one_of(const Value (&values)[n]) {
    return values[below(static_cast<int64_t>(n))];
  }

  // Of a family; `nan_in`: in the one with infinities, NaN is one in so many, or none.
  template <typename T>
  T residual(int family, int64_t nan_in = 0) {
    switch (family) {
      case 0:
        return narrow<T>(normal_(bits_));
      case 1:
        return narrow<T>(0.5);
      case 2:
        return narrow<T>(static_cast<double>(below(4)));
      case 3:
        if (nan_in != 0 && below(nan_in) == 0) return narrow<T>(std::nan(""));
        return narrow<T>(below(50) == 0 ? INFINITY : normal_(bits_));
      case kWholeRange:  // nearly all is small, and some is near the largest number
        return below(83) == 0 ? narrow<T>(largest<T>() * between(0.56, 0.95))
                              : narrow<T>(between(0.125, 0.13));
      default:  // bit patterns of finite numbers, each as likely as any other
        return finite<T>();
    }
  }

 private:
  double between(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(bits_);
  }

  template <typename T>
  static typename OrderedBits<T>::Key key_of(double value) {
    return OrderedBits<T>::encode(narrow<T>(value));
  }

  template <typename T>
  static double largest() {
    return static_cast<double>(widen(OrderedBits<T>::decode(key_of<T>(INFINITY) - 1)));
  }

  template <typename T>
  T finite() {
    using Key = typename OrderedBits<T>::Key;
    const Key first = key_of<T>(-INFINITY) + 1, last = key_of<T>(INFINITY) - 1;
    return OrderedBits<T>::decode(std::uniform_int_distribution<Key>(first, last)(bits_));
  }

  std::mt19937_64 bits_{7};
  std::normal_distribution<double> normal_;
};

}  // namespace tailops
