#pragma once

// Compaction: writes the lanes whose bit is set, one after the other, and returns how many. May
// write a whole vector.

#include <cstdint>
#include <cstring>

#include "cpu/simd/memory.h"
#include "cpu/simd/vector.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

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
  store_compacted<kLanes<float> >(to, v, bits);
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
  store_compacted<kLanes<double> >(to, v, bits);
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

// Of elements in memory, a whole vector of them. Halves are compacted as the words that they are.
template <typename T>
inline int compact_elements(T* to, const T* from, uint32_t bits) {
  return compact(to, load(from), bits);
}
template <typename Half>
inline int compact_halves(Half* to, const Half* from, uint32_t bits) {
  Halves halves;
  memcpy(&halves, from, sizeof(halves));
  Words words = __builtin_convertvector(halves, Words);
  const int count =
      compact(reinterpret_cast<float*>(&words), reinterpret<FloatVector>(words), bits);
  halves = __builtin_convertvector(words, Halves);
  memcpy(static_cast<void*>(to), &halves, sizeof(halves));
  return count;
}
inline int compact_elements(Float16* to, const Float16* from, uint32_t bits) {
  return compact_halves(to, from, bits);
}
inline int compact_elements(BFloat16* to, const BFloat16* from, uint32_t bits) {
  return compact_halves(to, from, bits);
}

}  // namespace TAILOPS_TARGET
}  // namespace tailops
