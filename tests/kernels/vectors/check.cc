// Every primitive of simd/vector.h against plain code, for the instruction set that the compiler's
// flags name. Prints what is wrong.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "../flush_subnormals.h"
#include "core/subnormals.h"
#include "cpu/simd/lanes.h"

namespace tailops {
namespace {

int64_t wrong = 0;

template <typename Value>
void expect(bool right, const char* what, Value input) {
  if (right) return;
  if (++wrong <= 20) std::printf("%s of %.17g\n", what, static_cast<double>(input));
}

template <typename Value>
bool same_bits(Value a, Value b) {
  return memcmp(&a, &b, sizeof(a)) == 0;
}

template <typename C>
bool same_number(C a, C b) {
  return a != a ? b != b : same_bits(a, b);
}

#if defined(__FMA__) || defined(__aarch64__)
constexpr bool kFused = true;
#else
constexpr bool kFused = false;
#endif

// --- Lanes and sets of them.

template <typename C>
Mask<C> mask_of(uint32_t bits) {
  Mask<C> mask{};
  for (int lane = 0; lane < kLanes<C>; ++lane) mask[lane] = bits >> lane & 1 ? -1 : 0;
  return mask;
}

template <typename C, typename Element, typename V>
void check_compact(V v, uint32_t bits) {
  Element expected[kLanes<C>], found[kLanes<C> + 1] = {};
  int count = 0;
  for (int lane = 0; lane < kLanes<C>; ++lane) {
    if (bits >> lane & 1) expected[count++] = v[lane];
  }
  const int kept = compact(found, v, bits);
  expect(kept == count && memcmp(found, expected, sizeof(Element) * count) == 0, "compact", bits);
  expect(found[kLanes<C>] == Element(0), "what compact leaves alone", bits);
}

template <typename C>
void check_lanes() {
  const Mask<C> lane = lane_numbers<C>();
  Vector<C> v;
  for (int i = 0; i < kLanes<C>; ++i) {
    expect(lane[i] == i, "lane_numbers", i);
    v[i] = C(1.5) * i + C(0.25);
  }
  for (uint32_t bits = 0; bits < 1u << kLanes<C>; ++bits) {
    const Mask<C> mask = mask_of<C>(bits);
    expect(bits_of(mask) == bits, "bits_of", bits);
    check_compact<C, C>(v, bits);
    check_compact<C, SignedBits<C>>(lane * 3 - 1, bits);
    const Vector<C> chosen = choose(mask, v, -v);
    const Wide<C> wide = choose<C>(mask, to_wide<C>(v), to_wide<C>(-v));
    const Vector<C> narrow_again = to_compute<C>(wide);
    for (int i = 0; i < kLanes<C>; ++i) {
      const C one = bits >> i & 1 ? v[i] : -v[i];
      expect(chosen[i] == one && narrow_again[i] == one, "choose", bits);
    }
  }
  for (int count = 0; count <= kLanes<C>; ++count) {
    expect(bits_of(first_lanes<C>(count)) == (1u << count) - 1, "first_lanes", count);
  }
}

// --- Arithmetic.

template <typename C>
std::vector<C> numbers() {
  using Limits = std::numeric_limits<C>;
  std::vector<C> values;
  for (const C value :
       {C(0), C(1), C(3), C(0.1), Limits::min(), Limits::denorm_min(), 3 * Limits::denorm_min(),
        Limits::max(), Limits::infinity(), Limits::quiet_NaN()}) {
    values.push_back(value);
    values.push_back(-value);
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 80; ++i) {
    const auto bits = static_cast<SignedBits<C>>(random());
    values.push_back(reinterpret<C>(bits));
    values.push_back(C(1) + static_cast<C>(random() % 1000) / C(997));
  }
  return values;
}

template <typename C>
void check_pair(C a, C b) {
  const Vector<C> va = Vector<C>{} - (-a), vb = Vector<C>{} - (-b);
  expect(same_number<C>(smaller_of(va, vb)[0], va[0] < vb[0] ? va[0] : vb[0]), "smaller_of", a);
  expect(same_number<C>(larger_of(va, vb)[0], va[0] > vb[0] ? va[0] : vb[0]), "larger_of", a);
  expect(same_bits<C>(with_sign_of(va, absolute(vb))[0], std::copysign(vb[0], va[0])), "sign", a);
}

template <typename C>
void check_arithmetic() {
  const std::vector<C> values = numbers<C>();
  const auto last = static_cast<int64_t>(values.size()) - kLanes<C>;
  for (int64_t i = 0; i <= last; ++i) {
    const Vector<C> a = load(&values[i]);
    const Vector<C> magnitude = absolute(a), root = square_root(a);
    for (int lane = 0; lane < kLanes<C>; ++lane) {
      expect(same_bits<C>(magnitude[lane], std::fabs(a[lane])), "absolute", a[lane]);
      expect(same_number<C>(root[lane], std::sqrt(a[lane])), "square_root", a[lane]);
    }
    for (int64_t k = 0; k <= last; ++k) {
      check_pair(values[i], values[k]);
      const Vector<C> b = load(&values[k]), c = load(&values[(3 * i + 7 * k) % (last + 1)]);
      const Vector<C> sum = multiply_add(a, b, c);
      expect(bits_less(a, b) == bits_of(a < b), "bits_less", a[0]);
      for (int lane = 0; lane < kLanes<C>; ++lane) {
        const C fused = std::fma(a[lane], b[lane], c[lane]);
        const C expected = kFused ? fused : a[lane] * b[lane] + c[lane];
        expect(same_number<C>(sum[lane], expected), "multiply_add", a[lane]);
      }
    }
  }
}

// --- Two bytes in memory.

template <typename T>
struct FormatOf;
template <>
struct FormatOf<Float16> {
  static constexpr int kFractionBits = 10, kBias = 15;
};
template <>
struct FormatOf<BFloat16> {
  static constexpr int kFractionBits = 7, kBias = 127;
};

template <typename T>
double value_of(T stored) {
  using Format = FormatOf<T>;
  const int magnitude = stored.bits & 0x7fff, sign = stored.bits >> 15 ? -1 : 1;
  const int exponent = magnitude >> Format::kFractionBits, one = 1 << Format::kFractionBits;
  const int fraction = magnitude % one;
  if (exponent == 2 * Format::kBias + 1) return sign * (fraction == 0 ? INFINITY : NAN);
  const int scale = (exponent == 0 ? 1 : exponent) - Format::kBias - Format::kFractionBits;
  return sign * std::ldexp(exponent == 0 ? fraction : one + fraction, scale);
}

// To nearest, half to even, in float64.
template <typename T>
double rounded(double x) {
  using Format = FormatOf<T>;
  if (x == 0.0 || !std::isfinite(x)) return x;
  const int exponent = std::max(std::ilogb(x), 1 - Format::kBias);
  const double unit = std::ldexp(1.0, exponent - Format::kFractionBits);
  const double result = std::nearbyint(x / unit) * unit;
  const bool overflows = std::fabs(result) >= std::ldexp(1.0, Format::kBias + 1);
  return overflows ? std::copysign(INFINITY, x) : result;
}

// Every number of the type, what lies halfway to the next and on both sides of that; and any bits.
template <typename T>
std::vector<float> numbers_around() {
  std::vector<float> values;
  for (uint32_t bits = 0; bits < 1u << 16; ++bits) {
    const double here = value_of(T{static_cast<uint16_t>(bits)});
    const double next = value_of(T{static_cast<uint16_t>(bits + 1)});
    const double end = std::copysign(std::ldexp(1.0, FormatOf<T>::kBias + 1), here);
    const auto half = static_cast<float>((here + (std::isfinite(next) ? next : end)) / 2);
    values.push_back(static_cast<float>(here));
    values.push_back(half);
    values.push_back(std::nextafter(half, 0.0f));
    values.push_back(std::nextafter(half, std::copysign(INFINITY, half)));
  }
  std::mt19937 random(2);
  for (int i = 0; i < 1 << 16; ++i) values.push_back(reinterpret<float>(uint32_t(random())));
  return values;
}

template <typename T>
void check_two_bytes(const char* loads, const char* stores) {
  constexpr int kStep = kLanes<float>;
  T halves[kStep];
  for (uint32_t first = 0; first < 1u << 16; first += kStep) {
    for (int lane = 0; lane < kStep; ++lane) halves[lane].bits = uint16_t(first + lane);
    const FloatVector loaded = load(halves);
    for (int lane = 0; lane < kStep; ++lane) {
      const auto expected = static_cast<float>(value_of(halves[lane]));
      expect(same_number<float>(loaded[lane], expected), loads, halves[lane].bits);
    }
  }
  const std::vector<float> values = numbers_around<T>();
  for (size_t i = 0; i + kStep <= values.size(); i += kStep) {
    store(halves, load(&values[i]));
    for (int lane = 0; lane < kStep; ++lane) {
      const float value = values[i + lane];
      expect(same_number(value_of(halves[lane]), rounded<T>(value)), stores, value);
    }
  }
}

// --- A part of a vector.

template <typename T>
void check_first(const char* what) {
  using C = ComputeType<T>;
  constexpr int kStep = kLanes<C>;
  T from[kStep];
  for (int lane = 0; lane < kStep; ++lane) from[lane] = narrow<T>(lane + 1);
  for (int count = 0; count < kStep; ++count) {
    const Vector<C> first = load_first(from, count);
    T to[kStep] = {};
    store_first(to, load(from), count);
    for (int lane = 0; lane < kStep; ++lane) {
      const C expected = lane < count ? static_cast<C>(lane + 1) : C(0);
      expect(first[lane] == expected && widen(to[lane]) == expected, what, count);
    }
  }
}

// --- exp(−x): the relative error grows with |x|, which is where it is least looked at.

template <typename C>
void check_exponential(C most_near_zero) {
  using Constants = ExponentialConstants<C>;
  const auto one = [](C x) { return decaying_exponential(Vector<C>{} + x)[0]; };
  const C ulp = std::numeric_limits<C>::epsilon();
  for (int i = -100'000; i < 100'000; ++i) {
    const C x = Constants::kLargest * static_cast<C>(i) / C(100'000);
    const auto expected = std::exp(-static_cast<long double>(x));
    const auto error = std::fabs(static_cast<long double>(one(x)) / expected - 1) / ulp;
    expect(error <= most_near_zero + (kFused ? C(0.2) : C(1)) * std::fabs(x), "exponential", x);
  }
  for (const C x :
       {Constants::kLargest, std::numeric_limits<C>::max(), std::numeric_limits<C>::infinity()}) {
    expect(one(x) == C(0), "exponential", x);
    expect(one(-x) == one(-Constants::kLargest) && std::isnormal(one(-x)), "exponential", -x);
  }
  expect(std::isnan(one(std::numeric_limits<C>::quiet_NaN())), "exponential", NAN);
}

// --- Subnormal numbers, where a thread flushes them.

[[gnu::noinline]] FloatVector doubled(const float* from) { return load(from) * 2.0f; }

void check_subnormals() {
  const std::vector<float> tiny(kLanes<float>, std::numeric_limits<float>::denorm_min());
  const float twice = 2 * tiny[0];
  flush_subnormals();
#if defined(__SSE2__) || defined(__aarch64__)
  expect(same_bits<float>(doubled(tiny.data())[0], 0.0f), "flushing", 0);
#endif
  {
    const KeepSubnormals keep;
    expect(same_bits<float>(doubled(tiny.data())[0], twice), "KeepSubnormals", 0);
  }
#if defined(__SSE2__) || defined(__aarch64__)
  expect(same_bits<float>(doubled(tiny.data())[0], 0.0f), "the end of KeepSubnormals", 0);
#endif
}

}  // namespace
}  // namespace tailops

int main() {
  using namespace tailops;
  check_lanes<float>();
  check_lanes<double>();
  check_arithmetic<float>();
  check_arithmetic<double>();
  check_two_bytes<Float16>("load of float16", "store of float16");
  check_two_bytes<BFloat16>("load of bfloat16", "store of bfloat16");
  check_first<float>("the first of float");
  check_first<double>("the first of double");
  check_first<Float16>("the first of float16");
  check_first<BFloat16>("the first of bfloat16");
  check_exponential<float>(2.0f);
  check_exponential<double>(2.0);
  check_subnormals();
  std::printf("vectors of %d bytes: %lld wrong\n", kVectorBytes, static_cast<long long>(wrong));
  return wrong == 0 ? 0 : 1;
}
