// cvt: between any two of the number types.
//
// A number goes through the widest type of its kind, float64 or a signed or unsigned integer of 64
// bits, in which all that the source has is exact, and is rounded once, to the destination.

#include <cmath>
#include <limits>

#include "instructions/apply.h"
#include "instructions/families.h"
#include "instructions/float_functions.h"
#include "instructions/halves.h"
#include "instructions/rounding.h"

namespace virtual_gpu {
namespace {

// Reading: what a lane holds, in the widest type.
template <typename T>
struct Integer {
  using Widest = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
  static Widest read(uint64_t lane) { return get<T>(lane); }
};
template <typename T>
struct Float {
  using Widest = double;
  static double read(uint64_t lane) { return static_cast<double>(get<T>(lane)); }
};
template <typename Number>
struct HalfFloat {
  using Widest = double;
  static double read(uint64_t lane) { return Number::widen(get<uint16_t>(lane)); }
};

struct How {
  static constexpr int kSaturates = 1, kFlushes = 2, kToIntegral = 4, kDirected = 8, kRelu = 16;
};

// .ftz is of float32, also where it is what is read.
template <typename From, typename Wide>
Wide flushed_if(Wide x, int how) {
  if constexpr (std::is_same_v<From, Float<float>>) {
    if ((how & How::kFlushes) != 0) return static_cast<double>(flushed(static_cast<float>(x)));
  }
  return x;
}

// NaN becomes 0 in 8, 16 and 32 bits from float32 and narrower ones, and 2⁶³ in 64 bits or from
// float64 the lowest or highest bit alone, as hardware has it.
template <typename T>
T integer_of(double x, bool from_double) {
  constexpr int kBits = 8 * sizeof(T);
  if (std::isnan(x)) {
    const bool is_zero = !from_double && kBits < 64;
    return is_zero ? T{0} : static_cast<T>(uint64_t{1} << (kBits - 1));
  }
  const double whole = std::nearbyint(x);
  if (whole <= static_cast<double>(std::numeric_limits<T>::lowest())) {
    return std::numeric_limits<T>::lowest();
  }
  // 2 to the number of its bits, which is one more than the largest.
  if (whole >= std::ldexp(1.0, kBits - (std::is_signed_v<T> ? 1 : 0))) {
    return std::numeric_limits<T>::max();
  }
  return static_cast<T>(whole);
}

template <typename T, typename Wide>
T clamped(Wide x) {
  using Limits = std::numeric_limits<T>;
  if (std::is_signed_v<Wide> && x < 0) {
    if (!std::is_signed_v<T>) return 0;
    return static_cast<int64_t>(x) < static_cast<int64_t>(Limits::lowest()) ? Limits::lowest()
                                                                            : static_cast<T>(x);
  }
  return static_cast<uint64_t>(x) > static_cast<uint64_t>(Limits::max()) ? Limits::max()
                                                                         : static_cast<T>(x);
}

// Writing: the widest type's number as the lane holds it, in the rounding that is set. The sign of
// an integer reaches as far as its register does.
template <typename T>
uint64_t write_integer(double x, int, bool from_double) {
  return static_cast<uint64_t>(integer_of<T>(x, from_double));
}
template <typename T, typename Wide>
uint64_t write_integer(Wide x, int how, bool) {
  return static_cast<uint64_t>((how & How::kSaturates) != 0 ? clamped<T>(x) : static_cast<T>(x));
}

double prepared(double x, int how) {
  if ((how & How::kToIntegral) != 0) x = std::nearbyint(x);
  if ((how & How::kRelu) != 0) x = larger_or_nan(x, 0.0);
  return (how & How::kSaturates) != 0 ? saturated(x) : x;
}

struct ToF32 {
  static uint64_t write(double x, int how) {
    const float result = static_cast<float>(prepared(x, how));
    return put((how & How::kFlushes) != 0 ? flushed(result) : result);
  }
  template <typename Wide>
  static uint64_t write_whole(Wide x) {
    return put(static_cast<float>(x));
  }
};
struct ToF64 {
  static uint64_t write(double x, int how) { return put(prepared(x, how)); }
  template <typename Wide>
  static uint64_t write_whole(Wide x) {
    return put(static_cast<double>(x));
  }
};
template <typename Number>
struct ToHalf {
  static uint64_t write(double x, int how) { return Number::narrow(prepared(x, how)); }
  // Beyond float64's digits: rounded to odd there first, which leaves the next rounding right.
  template <typename Wide>
  static uint64_t write_whole(Wide x) {
    constexpr int kSpare = 64 - 53;
    const bool is_large = x > Wide{1} << 53 || (std::is_signed_v<Wide> && x < -(Wide{1} << 53));
    if (!is_large) return Number::narrow(static_cast<double>(x));
    const bool is_inexact = (x & ((Wide{1} << kSpare) - 1)) != 0;
    const Wide cut = x >> kSpare | static_cast<Wide>(is_inexact);
    return Number::narrow(std::ldexp(static_cast<double>(cut), kSpare));
  }
};

template <typename From, typename To>
void to_float(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const from = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  const int how = instruction.choice & 255;
  const Rounding rounding(instruction.choice >> 8);
  for_lanes(mask, [=](int lane) {
    using Widest = typename From::Widest;
    const Widest x = From::read(from[lane]);
    if constexpr (std::is_same_v<Widest, double>) {
      to[lane] = To::write(flushed_if<From>(x, how), how);
    } else {
      to[lane] = To::write_whole((how & How::kSaturates) != 0 ? Widest{x > 0} : x);
    }
  });
}

template <typename From, typename T>
void to_integer(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const from = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  const int how = instruction.choice & 255;
  const Rounding rounding(instruction.choice >> 8);
  for_lanes(mask, [=](int lane) {
    constexpr bool kFromDouble = std::is_same_v<From, Float<double>>;
    to[lane] = write_integer<T>(flushed_if<From>(From::read(from[lane]), how), how, kFromDouble);
  });
}

template <typename From>
Execute by_destination(Type to) {
  switch (to) {
    case Type::kU8:
      return to_integer<From, uint8_t>;
    case Type::kS8:
      return to_integer<From, int8_t>;
    case Type::kU16:
      return to_integer<From, uint16_t>;
    case Type::kS16:
      return to_integer<From, int16_t>;
    case Type::kU32:
      return to_integer<From, uint32_t>;
    case Type::kS32:
      return to_integer<From, int32_t>;
    case Type::kU64:
      return to_integer<From, uint64_t>;
    case Type::kS64:
      return to_integer<From, int64_t>;
    case Type::kF16:
      return to_float<From, ToHalf<Half>>;
    case Type::kBF16:
      return to_float<From, ToHalf<BFloat>>;
    case Type::kF32:
      return to_float<From, ToF32>;
    case Type::kF64:
      return to_float<From, ToF64>;
    default:
      return nullptr;
  }
}

Execute by_types(Type to, Type from) {
  switch (from) {
    case Type::kU8:
      return by_destination<Integer<uint8_t>>(to);
    case Type::kS8:
      return by_destination<Integer<int8_t>>(to);
    case Type::kU16:
      return by_destination<Integer<uint16_t>>(to);
    case Type::kS16:
      return by_destination<Integer<int16_t>>(to);
    case Type::kU32:
      return by_destination<Integer<uint32_t>>(to);
    case Type::kS32:
      return by_destination<Integer<int32_t>>(to);
    case Type::kU64:
      return by_destination<Integer<uint64_t>>(to);
    case Type::kS64:
      return by_destination<Integer<int64_t>>(to);
    case Type::kF16:
      return by_destination<HalfFloat<Half>>(to);
    case Type::kBF16:
      return by_destination<HalfFloat<BFloat>>(to);
    case Type::kF32:
      return by_destination<Float<float>>(to);
    case Type::kF64:
      return by_destination<Float<double>>(to);
    default:
      return nullptr;
  }
}

// Two float32 to a pair: the first becomes the upper half.
template <typename Number>
void to_pair(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const high = warp.read(instruction.from[0]);
  const uint64_t* const low = warp.read(instruction.from[1]);
  uint64_t* const to = warp.write(instruction.to[0]);
  const int how = instruction.choice & 255;
  for_lanes(mask, [=](int lane) {
    const auto half = [&](uint64_t bits) {
      return ToHalf<Number>::write(static_cast<double>(get<float>(bits)), how);
    };
    to[lane] = half(high[lane]) << 16 | half(low[lane]);
  });
}

}  // namespace

Execute of_conversions(Form& form, Instruction& instruction) {
  if (!form.is("cvt")) return nullptr;
  int how = 0;
  int rounding = take_rounding(form);
  const int to_integral = form.take_one_of<int>(
      {{"rni", FE_TONEAREST}, {"rzi", FE_TOWARDZERO}, {"rmi", FE_DOWNWARD}, {"rpi", FE_UPWARD}},
      -1);
  if (to_integral >= 0) {
    how |= How::kToIntegral;
    rounding = to_integral;
  }
  if (form.take("sat")) how |= How::kSaturates;
  if (form.take("ftz")) how |= How::kFlushes;
  if (form.take("relu")) how |= How::kRelu;
  instruction.choice = how | rounding << 8;
  const Type to = form.take_type(), from = form.take_type();
  const bool to_half =
      (is_floating(to) && bytes_of(to) == 2) || to == Type::kF16x2 || to == Type::kBF16x2;
  // A half is rounded to nearest here, always.
  if (to_half && rounding != FE_TONEAREST && to_integral < 0) return nullptr;
  if (to == Type::kF16x2 || to == Type::kBF16x2) {
    if (from != Type::kF32 || instruction.from.size() != 2) return nullptr;
    return to == Type::kF16x2 ? to_pair<Half> : to_pair<BFloat>;
  }
  return instruction.from.size() == 1 ? by_types(to, from) : nullptr;
}

}  // namespace virtual_gpu
