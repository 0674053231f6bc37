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

// The outcome of a comparison of lanes as the target computes with it: bits, where compilers would
// make a vector of them, and bits of that. Its operators are &, | and ~.
#if defined(__AVX512F__)
template <typename C>
using Lanewise = std::conditional_t<sizeof(C) == 4, __mmask16, __mmask8>;

inline __mmask16 less(FloatVector a, FloatVector b) {
  return _mm512_cmp_ps_mask(reinterpret<__m512>(a), reinterpret<__m512>(b), _CMP_LT_OQ);
}
inline __mmask8 less(DoubleVector a, DoubleVector b) {
  return _mm512_cmp_pd_mask(reinterpret<__m512d>(a), reinterpret<__m512d>(b), _CMP_LT_OQ);
}
inline FloatVector add_where(__mmask16 where, FloatVector sum, FloatVector v) {
  const __m512 to = reinterpret<__m512>(sum);
  return reinterpret<FloatVector>(_mm512_mask_add_ps(to, where, to, reinterpret<__m512>(v)));
}
inline DoubleVector add_where(__mmask8 where, DoubleVector sum, DoubleVector v) {
  const __m512d to = reinterpret<__m512d>(sum);
  return reinterpret<DoubleVector>(_mm512_mask_add_pd(to, where, to, reinterpret<__m512d>(v)));
}
inline Mask<float> count_where(__mmask16 where, Mask<float> count) {
  const __m512i to = reinterpret<__m512i>(count);
  return reinterpret<Mask<float>>(_mm512_mask_add_epi32(to, where, to, _mm512_set1_epi32(1)));
}
inline Mask<double> count_where(__mmask8 where, Mask<double> count) {
  const __m512i to = reinterpret<__m512i>(count);
  return reinterpret<Mask<double>>(_mm512_mask_add_epi64(to, where, to, _mm512_set1_epi64(1)));
}
inline uint32_t bits_of(__mmask16 lanes) { return lanes; }
inline uint32_t bits_of(__mmask8 lanes) { return lanes; }
#else
template <typename C>
using Lanewise = Mask<C>;

template <typename V>
inline auto less(V a, V b) {
  return a < b;
}
template <typename V, typename M>
inline V add_where(M where, V sum, V v) {
  return sum + choose(where, v, V{});
}
template <typename M>
inline M count_where(M where, M count) {
  return count - where;
}
#endif

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

}  // namespace TAILOPS_TARGET
}  // namespace tailops
