#pragma once

// Vectors of the target's width, on the compilers' own vector types: arithmetic and comparison are
// operators, a comparison gives a vector of integers (0 or −1), and what a language has no operator
// for is here. The same text serves every instruction set but where it names one.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/float_types.h"
#include "formulas/primitives.h"

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
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

// magnitude ≥ 0 with the sign of x.
inline FloatVector with_sign_of(FloatVector x, FloatVector magnitude) {
  const Mask<float> sign = reinterpret<Mask<float>>(x) & static_cast<int32_t>(0x80000000u);
  return reinterpret<FloatVector>(reinterpret<Mask<float>>(magnitude) | sign);
}
inline DoubleVector with_sign_of(DoubleVector x, DoubleVector magnitude) {
  const Mask<double> sign =
      reinterpret<Mask<double>>(x) & static_cast<int64_t>(0x8000000000000000u);
  return reinterpret<DoubleVector>(reinterpret<Mask<double>>(magnitude) | sign);
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
#elif defined(__aarch64__)
  return reinterpret<FloatVector>(vfmaq_f32(
      reinterpret<float32x4_t>(c), reinterpret<float32x4_t>(a), reinterpret<float32x4_t>(b)));
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
#elif defined(__aarch64__)
  return reinterpret<DoubleVector>(vfmaq_f64(
      reinterpret<float64x2_t>(c), reinterpret<float64x2_t>(a), reinterpret<float64x2_t>(b)));
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

// The smaller; x where either is NaN.
inline FloatVector smaller_of(FloatVector bound, FloatVector x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  return reinterpret<FloatVector>(
      _mm256_min_ps(reinterpret<__m256>(bound), reinterpret<__m256>(x)));
#else
  return bound < x ? bound : x;
#endif
}
inline DoubleVector smaller_of(DoubleVector bound, DoubleVector x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  return reinterpret<DoubleVector>(
      _mm256_min_pd(reinterpret<__m256d>(bound), reinterpret<__m256d>(x)));
#else
  return bound < x ? bound : x;
#endif
}

// The larger; x where either is NaN.
inline FloatVector larger_of(FloatVector bound, FloatVector x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  return reinterpret<FloatVector>(
      _mm256_max_ps(reinterpret<__m256>(bound), reinterpret<__m256>(x)));
#else
  return bound > x ? bound : x;
#endif
}
inline DoubleVector larger_of(DoubleVector bound, DoubleVector x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  return reinterpret<DoubleVector>(
      _mm256_max_pd(reinterpret<__m256d>(bound), reinterpret<__m256d>(x)));
#else
  return bound > x ? bound : x;
#endif
}

// A bit per lane.
inline uint32_t bits_of(Mask<float> mask) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask(reinterpret<__m512i>(mask));
#elif defined(__AVX2__)
  return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret<__m256>(mask)));
#elif defined(__SSE2__)
  return static_cast<uint32_t>(_mm_movemask_ps(reinterpret<__m128>(mask)));
#elif defined(__aarch64__)
  return vaddvq_u32(reinterpret<uint32x4_t>(mask & Mask<float>{1, 2, 4, 8}));
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
#elif defined(__aarch64__)
  return static_cast<uint32_t>(vaddvq_u64(reinterpret<uint64x2_t>(mask & Mask<double>{1, 2})));
#else
  uint32_t bits = 0;
  for (int lane = 0; lane < kLanes<double>; ++lane) bits |= (mask[lane] & 1) << lane;
  return bits;
#endif
}

// Those of a < b. With AVX-512 compilers make a vector of the comparison's bits, and bits of that.
inline uint32_t bits_less(FloatVector a, FloatVector b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(reinterpret<__m512>(a), reinterpret<__m512>(b), _CMP_LT_OQ);
#else
  return bits_of(a < b);
#endif
}
inline uint32_t bits_less(DoubleVector a, DoubleVector b) {
#if defined(__AVX512F__)
  return _mm512_cmp_pd_mask(reinterpret<__m512d>(a), reinterpret<__m512d>(b), _CMP_LT_OQ);
#else
  return bits_of(a < b);
#endif
}

// --- Compaction: writes the lanes whose bit is set, one after the other, and returns how many. May
// write a whole vector.

// How many bits are set, of those of one vector.
inline int count_of(uint32_t bits) {
#if defined(__aarch64__)
  // The four bits of each count side by side: the instruction that counts is one of the vectors'.
  return static_cast<int>(uint64_t{0x4332322132212110} >> (4 * bits) & 7);
#else
  return __builtin_popcount(bits);
#endif
}

#if (defined(__AVX2__) && !defined(__AVX512F__)) || defined(__aarch64__)
// For each set of lanes, which units of the vector come first, second, …: a byte each.
template <int kUnits, int kUnitsPerLane>
struct UnitOrders {
  static constexpr int kSets = 1 << (kUnits / kUnitsPerLane);
  alignas(kUnits) uint8_t of[kSets][kUnits] = {};
  constexpr UnitOrders() {
    for (int bits = 0; bits < kSets; ++bits) {
      int count = 0;
      for (int unit = 0; unit < kUnits; ++unit) {
        if (bits >> (unit / kUnitsPerLane) & 1) of[bits][count++] = static_cast<uint8_t>(unit);
      }
    }
  }
};
template <int kUnits, int kLaneCount>
inline constexpr UnitOrders<kUnits, kUnits / kLaneCount> kUnitOrders;

template <int kLaneCount, typename V>
inline void store_compacted(void* to, V v, uint32_t bits) {
#if defined(__AVX2__)
  const auto& words = kUnitOrders<8, kLaneCount>.of[bits];
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(words));
  _mm256_storeu_si256(
      static_cast<__m256i*>(to),
      _mm256_permutevar8x32_epi32(reinterpret<__m256i>(v), _mm256_cvtepu8_epi32(bytes)));
#else
  const uint8x16_t bytes = vld1q_u8(kUnitOrders<16, kLaneCount>.of[bits]);
  vst1q_u8(static_cast<uint8_t*>(to), vqtbl1q_u8(reinterpret<uint8x16_t>(v), bytes));
#endif
}
#endif

template <typename Element, typename V>
inline int compact_lanes(Element* to, V v, uint32_t bits) {
  for (uint32_t rest = bits; rest != 0; rest &= rest - 1) *to++ = v[__builtin_ctz(rest)];
  return __builtin_popcount(bits);
}

// Of 4 bytes, floats or integers.
template <typename Element, typename V>
inline int compact_words(Element* to, V v, uint32_t bits) {
#if defined(__AVX512F__)
  _mm512_storeu_ps(to,
                   _mm512_maskz_compress_ps(static_cast<__mmask16>(bits), reinterpret<__m512>(v)));
  return __builtin_popcount(bits);
#elif defined(__AVX2__) || defined(__aarch64__)
  store_compacted<kLanes<float>>(to, v, bits);
  return count_of(bits);
#else
  return compact_lanes(to, v, bits);
#endif
}

// Of 8 bytes.
template <typename Element, typename V>
inline int compact_double_words(Element* to, V v, uint32_t bits) {
#if defined(__AVX512F__)
  _mm512_storeu_pd(to,
                   _mm512_maskz_compress_pd(static_cast<__mmask8>(bits), reinterpret<__m512d>(v)));
  return __builtin_popcount(bits);
#elif defined(__AVX2__) || defined(__aarch64__)
  store_compacted<kLanes<double>>(to, v, bits);
  return count_of(bits);
#else
  return compact_lanes(to, v, bits);
#endif
}

inline int compact(float* to, FloatVector v, uint32_t bits) { return compact_words(to, v, bits); }
inline int compact(int32_t* to, Mask<float> v, uint32_t bits) { return compact_words(to, v, bits); }
inline int compact(double* to, DoubleVector v, uint32_t bits) {
  return compact_double_words(to, v, bits);
}
inline int compact(int64_t* to, Mask<double> v, uint32_t bits) {
  return compact_double_words(to, v, bits);
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
#if defined(__AVX512F__)
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return reinterpret<FloatVector>(
      _mm512_maskz_slli_epi32(0xffff, _mm512_maskz_cvtepu16_epi32(0xffff, halves), 16));
#elif defined(__AVX2__)
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return reinterpret<FloatVector>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
#elif defined(__aarch64__)
  const uint16x4_t halves = vld1_u16(reinterpret_cast<const uint16_t*>(from));
  return reinterpret<FloatVector>(vshll_n_u16(halves, 16));
#else
  Halves halves;
  memcpy(&halves, from, sizeof(halves));
  return reinterpret<FloatVector>(__builtin_convertvector(halves, Words) << 16);
#endif
}

inline FloatVector load(const Float16* from) {
#if defined(__AVX512F__)
  return reinterpret<FloatVector>(
      _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#elif defined(__F16C__)
  return reinterpret<FloatVector>(
      _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#elif defined(__aarch64__)
  return reinterpret<FloatVector>(
      vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const uint16_t*>(from)))));
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
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_maskz_cvtepi32_epi16(0xffff, reinterpret<__m512i>(chosen)));
#elif defined(__AVX2__)
  const __m256i words = reinterpret<__m256i>(chosen);
  _mm_storeu_si128(
      reinterpret_cast<__m128i*>(to),
      _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
#else
  const Halves halves = __builtin_convertvector(chosen, Halves);
  memcpy(to, &halves, sizeof(halves));
#endif
}

inline void store(Float16* to, FloatVector v) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(
      reinterpret_cast<__m256i*>(to),
      _mm512_maskz_cvtps_ph(0xffff, reinterpret<__m512>(v), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm256_cvtps_ph(reinterpret<__m256>(v), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__aarch64__)
  vst1_u16(reinterpret_cast<uint16_t*>(to),
           vreinterpret_u16_f16(vcvt_f16_f32(reinterpret<float32x4_t>(v))));
#else
  for (int lane = 0; lane < kLanes<float>; ++lane) to[lane] = narrow<Float16>(v[lane]);
#endif
}

// --- The first `count` elements, fewer than a vector has lanes; the other lanes are zero, and the
// memory behind is not touched.

template <typename T>
inline auto load_padded(const T* from, int count) {
  T padded[kLanes<ComputeType<T>>] = {};
  memcpy(padded, from, sizeof(T) * static_cast<size_t>(count));
  return load(padded);
}

template <typename T, typename V>
inline void store_padded(T* to, V v, int count) {
  T padded[kLanes<ComputeType<T>>];
  store(padded, v);
  memcpy(static_cast<void*>(to), padded, sizeof(T) * static_cast<size_t>(count));
}

#if defined(__AVX512F__)
inline __mmask16 first_bits(int count) { return static_cast<__mmask16>((1u << count) - 1); }
#endif

template <typename T>
inline auto load_first(const T* from, int count) {
  return load_padded(from, count);
}
template <typename T, typename V>
inline void store_first(T* to, V v, int count) {
  store_padded(to, v, count);
}

#if defined(__AVX512F__)
inline FloatVector load_first(const float* from, int count) {
  return reinterpret<FloatVector>(_mm512_maskz_loadu_ps(first_bits(count), from));
}
inline DoubleVector load_first(const double* from, int count) {
  return reinterpret<DoubleVector>(
      _mm512_maskz_loadu_pd(static_cast<__mmask8>(first_bits(count)), from));
}
inline void store_first(float* to, FloatVector v, int count) {
  _mm512_mask_storeu_ps(to, first_bits(count), reinterpret<__m512>(v));
}
inline void store_first(double* to, DoubleVector v, int count) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>(first_bits(count)), reinterpret<__m512d>(v));
}
#elif defined(__AVX2__)
inline FloatVector load_first(const float* from, int count) {
  return reinterpret<FloatVector>(
      _mm256_maskload_ps(from, reinterpret<__m256i>(first_lanes<float>(count))));
}
inline DoubleVector load_first(const double* from, int count) {
  return reinterpret<DoubleVector>(
      _mm256_maskload_pd(from, reinterpret<__m256i>(first_lanes<double>(count))));
}
inline void store_first(float* to, FloatVector v, int count) {
  _mm256_maskstore_ps(to, reinterpret<__m256i>(first_lanes<float>(count)), reinterpret<__m256>(v));
}
inline void store_first(double* to, DoubleVector v, int count) {
  _mm256_maskstore_pd(to, reinterpret<__m256i>(first_lanes<double>(count)),
                      reinterpret<__m256d>(v));
}
#endif

// --- exp(−x) as 2ⁿ·exp(−r) with |r| ≤ ½ln 2. Beyond ±kLargest it stays what it is there, a normal
// number; NaN stays NaN.

template <typename C>
struct ExponentialConstants;

// exp(−r) ≈ Σ kSeries[k]·rᵏ, the least relative error of its degree with kSeries[0] = 1: 2.6e-9.
template <>
struct ExponentialConstants<float> {
  static constexpr float kLargest = 87.0f;
  static constexpr float kLog2E = 1.44269504f;
  static constexpr float kLn2 = 0.69314718f;
  static constexpr float kRound = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer
  static constexpr float kOne = 1.0f;
  static constexpr int kFractionBits = 23;
  static constexpr float kSeries[] = {
      1.0f,           -1.0000000497f,  0.50000004347f, -0.16666365315f,
      0.04166477650f, -0.00837902073f, 0.00140612773f};
};

// The same; 1.8e-17.
template <>
struct ExponentialConstants<double> {
  static constexpr double kLargest = 708.0;
  static constexpr double kLog2E = 1.4426950408889634;
  static constexpr double kLn2 = 0.69314718055994531;
  static constexpr double kRound = 6755399441055744.0;  // 1.5 · 2⁵²
  static constexpr double kOne = 1.0;
  static constexpr int kFractionBits = 52;
  static constexpr double kSeries[] = {1.0,
                                       -1.0000000000000005594,
                                       0.50000000000000055781,
                                       -0.16666666666657294875,
                                       0.041666666666573561444,
                                       -0.0083333333377180959584,
                                       0.0013888888932366859845,
                                       -0.00019841261488039253452,
                                       0.000024801504477923071055,
                                       -2.7564256324346080008e-6,
                                       2.7626310354315887829e-7,
                                       -2.2981315003611426115e-8};
};

// Σ coefficients[k]·xᵏ over kCount of them. Halves side by side: one after the other, as Horner has
// them, the processor waits for each.
template <int kCount, typename C>
inline Vector<C> polynomial(const C* coefficients, const Vector<C>* powers) {
  if constexpr (kCount == 1) {
    return broadcast(coefficients[0]);
  } else {
    constexpr int kLevel = kCount > 8 ? 3 : kCount > 4 ? 2 : kCount > 2 ? 1 : 0;
    constexpr int kHalf = 1 << kLevel;
    return multiply_add(polynomial<kCount - kHalf, C>(coefficients + kHalf, powers), powers[kLevel],
                        polynomial<kHalf, C>(coefficients, powers));
  }
}

template <typename C>
inline Vector<C> vector_decaying_exponential(Vector<C> x) {
  using Constants = ExponentialConstants<C>;
  using V = Vector<C>;
  const V bounded = smaller_of(broadcast(Constants::kLargest), x);
  const V clamped = larger_of(broadcast(-Constants::kLargest), bounded);
  const V shifted =
      multiply_add(clamped, broadcast(-Constants::kLog2E), broadcast(Constants::kRound));
  const V r = multiply_add(shifted - Constants::kRound, broadcast(Constants::kLn2), clamped);
  constexpr int kCount = static_cast<int>(sizeof(Constants::kSeries) / sizeof(C));
  const V r2 = r * r, r4 = r2 * r2;
  const V powers[] = {r, r2, r4, r4 * r4};
  const V series = polynomial<kCount, C>(Constants::kSeries, powers);
  // The integer stands in the low bits of `shifted`; in the exponent of 1 it makes a power of two.
  const Mask<C> power = (reinterpret<Mask<C>>(shifted) << Constants::kFractionBits) +
                        reinterpret<Mask<C>>(broadcast(Constants::kOne));
  return series * reinterpret<V>(power);
}

inline FloatVector decaying_exponential(FloatVector x) {
  return vector_decaying_exponential<float>(x);
}
inline DoubleVector decaying_exponential(DoubleVector x) {
  return vector_decaying_exponential<double>(x);
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
