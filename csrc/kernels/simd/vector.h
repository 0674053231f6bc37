#pragma once

// Vectors of the target's width, on the compilers' own vector types: arithmetic and comparison are
// operators, a comparison gives a vector of integers (0 or −1), and what a language has no operator
// for is here. The same text serves every instruction set; only loads of float16 and the mask's
// bits name any.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "../float_types.h"
#include "../primitives.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace tailops {
inline namespace TAILOPS_TARGET {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <typename T, int kBytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
};

// A vector of floats or doubles, the integers of the same size, and how many lanes.
template <typename C>
using Vector = typename VectorOf<C, kVectorBytes>::type;
template <typename C>
using SignedBits = std::conditional_t<sizeof(C) == 4, int32_t, int64_t>;
template <typename C>
using Mask = typename VectorOf<SignedBits<C>, kVectorBytes>::type;
template <typename C>
constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(C));

using FloatVector = Vector<float>;
using DoubleVector = Vector<double>;

template <typename C>
inline Vector<C> broadcast(C value) {
  return Vector<C>{} + value;
}

inline FloatVector choose(Mask<float> mask, FloatVector yes, FloatVector no) {
  return mask ? yes : no;
}
inline DoubleVector choose(Mask<double> mask, DoubleVector yes, DoubleVector no) {
  return mask ? yes : no;
}

template <typename To, typename From>
inline To reinterpret(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

inline FloatVector absolute(FloatVector x) {
  return reinterpret<FloatVector>(reinterpret<Mask<float>>(x) & 0x7fffffff);
}
inline DoubleVector absolute(DoubleVector x) {
  return reinterpret<DoubleVector>(reinterpret<Mask<double>>(x) & 0x7fffffffffffffff);
}

// a·b + c, rounded once where the target can: not for the error, which must have the same bits
// everywhere.
inline FloatVector multiply_add(FloatVector a, FloatVector b, FloatVector c) {
#if defined(__AVX512F__)
  return reinterpret<FloatVector>(
      _mm512_fmadd_ps(reinterpret<__m512>(a), reinterpret<__m512>(b), reinterpret<__m512>(c)));
#elif defined(__FMA__)
  return reinterpret<FloatVector>(
      _mm256_fmadd_ps(reinterpret<__m256>(a), reinterpret<__m256>(b), reinterpret<__m256>(c)));
#else
  return a * b + c;
#endif
}
inline DoubleVector multiply_add(DoubleVector a, DoubleVector b, DoubleVector c) {
#if defined(__AVX512F__)
  return reinterpret<DoubleVector>(
      _mm512_fmadd_pd(reinterpret<__m512d>(a), reinterpret<__m512d>(b), reinterpret<__m512d>(c)));
#elif defined(__FMA__)
  return reinterpret<DoubleVector>(
      _mm256_fmadd_pd(reinterpret<__m256d>(a), reinterpret<__m256d>(b), reinterpret<__m256d>(c)));
#else
  return a * b + c;
#endif
}

// The compiler makes one instruction of the loop.
template <typename V>
inline V lanewise_square_root(V x) {
  V root;
  for (size_t lane = 0; lane < sizeof(V) / sizeof(x[0]); ++lane) {
    root[lane] = square_root(x[lane]);
  }
  return root;
}
inline FloatVector square_root(FloatVector x) { return lanewise_square_root(x); }
inline DoubleVector square_root(DoubleVector x) { return lanewise_square_root(x); }

// A bit per lane.
inline uint32_t bits_of(Mask<float> mask) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask(reinterpret<__m512i>(mask));
#elif defined(__AVX2__)
  return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret<__m256>(mask)));
#elif defined(__SSE2__)
  return static_cast<uint32_t>(_mm_movemask_ps(reinterpret<__m128>(mask)));
#else
  uint32_t bits = 0;
  for (int lane = 0; lane < kLanes<float>; ++lane) bits |= (mask[lane] & 1) << lane;
  return bits;
#endif
}
inline uint32_t bits_of(Mask<double> mask) {
#if defined(__AVX512F__)
  return _mm512_movepi64_mask(reinterpret<__m512i>(mask));
#elif defined(__AVX2__)
  return static_cast<uint32_t>(_mm256_movemask_pd(reinterpret<__m256d>(mask)));
#elif defined(__SSE2__)
  return static_cast<uint32_t>(_mm_movemask_pd(reinterpret<__m128d>(mask)));
#else
  uint32_t bits = 0;
  for (int lane = 0; lane < kLanes<double>; ++lane) bits |= (mask[lane] & 1) << lane;
  return bits;
#endif
}

// --- Compaction: writes the lanes whose bit is set, one after the other, and returns how many. May
// write a whole vector.

#if defined(__AVX2__) && !defined(__AVX512F__)
// For each set of lanes, their numbers in order, a byte each.
struct LaneOrders {
  uint64_t of[256] = {};
  constexpr LaneOrders() {
    for (int bits = 0; bits < 256; ++bits) {
      int count = 0;
      for (int lane = 0; lane < 8; ++lane) {
        if (bits >> lane & 1) of[bits] |= static_cast<uint64_t>(lane) << (8 * count++);
      }
    }
  }
};
inline constexpr LaneOrders kLaneOrders;
#endif

inline int compact(float* to, FloatVector v, uint32_t bits) {
#if defined(__AVX512F__)
  _mm512_storeu_ps(to,
                   _mm512_maskz_compress_ps(static_cast<__mmask16>(bits), reinterpret<__m512>(v)));
#elif defined(__AVX2__)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&kLaneOrders.of[bits]));
  _mm256_storeu_ps(to,
                   _mm256_permutevar8x32_ps(reinterpret<__m256>(v), _mm256_cvtepu8_epi32(bytes)));
#else
  for (uint32_t rest = bits; rest != 0; rest &= rest - 1) *to++ = v[__builtin_ctz(rest)];
#endif
  return __builtin_popcount(bits);
}

inline int compact(double* to, DoubleVector v, uint32_t bits) {
#if defined(__AVX512F__)
  _mm512_storeu_pd(to,
                   _mm512_maskz_compress_pd(static_cast<__mmask8>(bits), reinterpret<__m512d>(v)));
#else
  for (uint32_t rest = bits; rest != 0; rest &= rest - 1) *to++ = v[__builtin_ctz(rest)];
#endif
  return __builtin_popcount(bits);
}

// 0, 1, 2, …
template <typename C>
inline Mask<C> lane_numbers() {
  Mask<C> lane;
  for (int i = 0; i < kLanes<C>; ++i) lane[i] = i;
  return lane;
}

// True in the first `count` lanes.
template <typename C>
inline Mask<C> first_lanes(int64_t count) {
  return lane_numbers<C>() < static_cast<SignedBits<C>>(count);
}

// --- Loads and stores: kLanes elements of the memory type, as vectors of the compute type.

inline FloatVector load(const float* from) {
  FloatVector v;
  memcpy(&v, from, sizeof(v));
  return v;
}

inline DoubleVector load(const double* from) {
  DoubleVector v;
  memcpy(&v, from, sizeof(v));
  return v;
}

using Halves = VectorOf<uint16_t, kVectorBytes / 2>::type;
using Words = VectorOf<uint32_t, kVectorBytes>::type;

inline FloatVector load(const BFloat16* from) {
  Halves halves;
  memcpy(&halves, from, sizeof(halves));
  return reinterpret<FloatVector>(__builtin_convertvector(halves, Words) << 16);
}

inline FloatVector load(const Float16* from) {
#if defined(__AVX512F__)
  return reinterpret<FloatVector>(
      _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#elif defined(__F16C__)
  return reinterpret<FloatVector>(
      _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#else
  FloatVector v;
  for (int lane = 0; lane < kLanes<float>; ++lane) v[lane] = widen(from[lane]);
  return v;
#endif
}

inline void store(float* to, FloatVector v) { memcpy(to, &v, sizeof(v)); }
inline void store(double* to, DoubleVector v) { memcpy(to, &v, sizeof(v)); }

inline void store(BFloat16* to, FloatVector v) {
  const Words bits = reinterpret<Words>(v);
  const Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Words quiet = (bits >> 16) | 0x40;
  const Words chosen = reinterpret<Mask<float>>(v != v) ? quiet : rounded;
  const Halves halves = __builtin_convertvector(chosen, Halves);
  memcpy(to, &halves, sizeof(halves));
}

inline void store(Float16* to, FloatVector v) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(
      reinterpret_cast<__m256i*>(to),
      _mm512_maskz_cvtps_ph(0xffff, reinterpret<__m512>(v), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm256_cvtps_ph(reinterpret<__m256>(v), _MM_FROUND_TO_NEAREST_INT));
#else
  for (int lane = 0; lane < kLanes<float>; ++lane) to[lane] = narrow<Float16>(v[lane]);
#endif
}

// --- exp(x) for x ≤ 0: 2ⁿ·exp(r) with |r| ≤ ½ln 2, a polynomial for exp(r). Zero below the
// smallest normal number, where no sum can tell the difference; NaN stays NaN.

template <typename C>
struct ExponentialConstants;

template <>
struct ExponentialConstants<float> {
  static constexpr float kSmallest = -87.0f;  // exp of it is normal
  static constexpr float kLog2E = 1.44269504f;
  static constexpr float kLn2High = 0.693359375f;
  static constexpr float kLn2Low = -2.12194440e-4f;
  static constexpr float kRound = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer
  static constexpr int kFractionBits = 23;
  static constexpr int kTerms = 7;  // of exp(r)'s series: the next is below 2⁻²⁷
};

template <>
struct ExponentialConstants<double> {
  static constexpr double kSmallest = -708.0;
  static constexpr double kLog2E = 1.4426950408889634;
  static constexpr double kLn2High = 6.93145751953125e-1;
  static constexpr double kLn2Low = 1.42860682030941723212e-6;
  static constexpr double kRound = 6755399441055744.0;  // 1.5 · 2⁵²
  static constexpr int kFractionBits = 52;
  static constexpr int kTerms = 13;  // the next is below 2⁻⁵⁷
};

struct InverseFactorials {
  double of[16] = {1.0};
  constexpr InverseFactorials() {
    for (int k = 1; k < 16; ++k) of[k] = of[k - 1] / k;
  }
};
constexpr InverseFactorials kInverseFactorials;

template <typename C>
inline Vector<C> vector_exponential(Vector<C> x) {
  using Constants = ExponentialConstants<C>;
  using V = Vector<C>;
  const V clamped = choose(x < Constants::kSmallest, broadcast(Constants::kSmallest), x);
  const V shifted =
      multiply_add(clamped, broadcast(Constants::kLog2E), broadcast(Constants::kRound));
  const V n = shifted - Constants::kRound;
  const V high = multiply_add(n, broadcast(-Constants::kLn2High), clamped);
  const V r = multiply_add(n, broadcast(-Constants::kLn2Low), high);
  V series = broadcast(static_cast<C>(kInverseFactorials.of[Constants::kTerms]));
  for (int k = Constants::kTerms - 1; k >= 0; --k) {
    series = multiply_add(series, r, broadcast(static_cast<C>(kInverseFactorials.of[k])));
  }
  // The integer stands in the low bits of `shifted`; move it into the exponent.
  const Mask<C> exponent = reinterpret<Mask<C>>(shifted) << Constants::kFractionBits;
  const V scaled = reinterpret<V>(reinterpret<Mask<C>>(series) + exponent);
  return choose(x < Constants::kSmallest, V{}, choose(x != x, x, scaled));
}

inline FloatVector decaying_exponential(FloatVector x) { return vector_exponential<float>(x); }
inline DoubleVector decaying_exponential(DoubleVector x) { return vector_exponential<double>(x); }

// --- Sums: float lanes over a few vectors, then float64.

template <typename C>
class LaneSums {
 public:
  void add(Vector<C> v) {
    for (int lane = 0; lane < kLanes<C>; ++lane) sums_[lane] += static_cast<double>(v[lane]);
  }
  double total() const {
    double total = 0.0;
    for (const double sum : sums_) total += sum;
    return total;
  }

 private:
  double sums_[kLanes<C>] = {};
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
