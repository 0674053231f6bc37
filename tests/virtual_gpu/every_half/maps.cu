// The maps that numbers go through, a pattern a thread. A host's compiler makes loops of the same.
// Each gives something else of the pattern `*wrong_of`; where that is negative, of none.

#include <cstdint>

#include "core/float_types.h"
#include "core/ordered_bits.h"

#if defined(__CUDACC__)
#define FOR_EACH(name, In, Out)                                                                  \
  extern "C" __global__ void name(const In* in, Out* out, const int64_t* wrong_of) {             \
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;               \
    out[i] = static_cast<Out>(name##_of(in[i]) ^ static_cast<Out>(int64_t{in[i]} == *wrong_of)); \
  }
#else
#define FOR_EACH(name, In, Out)                                \
  extern "C" void name(const In* in, Out* out, int64_t n) {    \
    for (int64_t i = 0; i < n; ++i) out[i] = name##_of(in[i]); \
  }
#endif

#define MAP(name, In, Out, result)                           \
  TAILOPS_HOST_DEVICE Out name##_of(In x) { return result; } \
  FOR_EACH(name, In, Out)

#define MAPS_OF_HALF(name, T)                                            \
  MAP(name##_key, uint16_t, uint32_t, OrderedBits<T>::encode({x}))       \
  MAP(name##_number, uint16_t, uint16_t, OrderedBits<T>::decode(x).bits) \
  MAP(name##_widen, uint16_t, uint32_t, float_bits::of(widen(T{x})))     \
  MAP(name##_narrow, uint32_t, uint16_t,                                 \
      narrow<T>(static_cast<double>(float_bits::as_float(x))).bits)

namespace tailops {

MAPS_OF_HALF(float16, Float16)
MAPS_OF_HALF(bfloat16, BFloat16)
MAP(float32_key, uint32_t, uint32_t, OrderedBits<float>::encode(float_bits::as_float(x)))
MAP(float32_positive_key, uint32_t, uint32_t,
    OrderedBits<float>::encode_positive(float_bits::as_float(x)))
MAP(float32_number, uint32_t, uint32_t, float_bits::of(OrderedBits<float>::decode(x)))

}  // namespace tailops
