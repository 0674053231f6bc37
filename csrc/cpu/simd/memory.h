#pragma once

// Loads and stores: kLanes elements of the memory type, as vectors of the compute type.

#include <cstdint>
#include <cstring>

#include "core/float_types.h"
#include "cpu/simd/vector.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

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

// Bytes, as many as a vector of C has lanes, each as wide as a lane. Of fewer than 16 the compiler
// would make a vector one by one.
template <typename C>
inline Mask<C> load_bytes(const uint8_t* from) {
#if defined(__AVX2__)
  __m128i bytes{};
  memcpy(&bytes, from, kLanes<C>);
#if defined(__AVX512F__)
  if constexpr (sizeof(C) == 4) {
    return reinterpret<Mask<C>>(_mm512_maskz_cvtepu8_epi32(0xffff, bytes));
  } else {
    return reinterpret<Mask<C>>(_mm512_maskz_cvtepu8_epi64(0xff, bytes));
  }
#else
  if constexpr (sizeof(C) == 4) return reinterpret<Mask<C>>(_mm256_cvtepu8_epi32(bytes));
  return reinterpret<Mask<C>>(_mm256_cvtepu8_epi64(bytes));
#endif
#else
  typename VectorOf<uint8_t, kLanes<C>>::type bytes;
  memcpy(&bytes, from, sizeof(bytes));
  return __builtin_convertvector(bytes, Mask<C>);
#endif
}

// The first `count` elements, fewer than a vector has lanes; the other lanes are zero, and the
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

}  // namespace TAILOPS_TARGET
}  // namespace tailops
