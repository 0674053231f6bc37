#pragma once

// What the loops share: whole vectors and what is left of one, and sums over many of them.

#include <cstdint>
#include <cstring>
#include <limits>

// The vectors first, so that the formulas find their primitives: built-in types have no namespace
// to look in.
// clang-format off
#include "cpu/simd/vector.h"
#include "cpu/simd/compact.h"
#include "cpu/simd/exponential.h"
#include "cpu/simd/loops.h"
#include "cpu/simd/memory.h"
#include "formulas/tail_loss.h"
// clang-format on

// The loops' bodies are called twice, for whole vectors and for the rest: inlined all the same, or
// what they accumulate would live in memory.
#define TAILOPS_INLINE __attribute__((always_inline))

namespace tailops {
inline namespace TAILOPS_TARGET {

// T is the type in memory, C the one that is computed in.
template <typename T>
struct Lanes {
  using C = ComputeType<T>;
  using V = Vector<C>;
  using M = Mask<C>;
  static constexpr int kStep = kLanes<C>;
  // Vectors that are added up in C before float64 takes over.
  static constexpr int kTile = 16;
  static constexpr uint32_t kAllLanes = (uint32_t{1} << kStep) - 1;

  // Where the target compacts a vector without a branch, not branching at all is faster.
#if defined(__AVX2__) || defined(__aarch64__)
  static constexpr bool kBranchesOnKept = false;
#else
  static constexpr bool kBranchesOnKept = true;
#endif

  // Asks for the memory that a loop will read soon, once per cache line. The processor's own
  // prefetching ends with each page, and a loop that does more than read is not far enough ahead to
  // make up for that.
  static TAILOPS_INLINE void fetch_ahead(const T* from, int64_t vector) {
    constexpr int kLine = 64, kAhead = 4096, kBytes = kStep * static_cast<int>(sizeof(T));
    if (vector * kBytes % kLine != 0) return;
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(from) + kAhead));
  }

  // body(offset, valid, count): whole vectors of elements, then the rest. `valid` is true in the
  // lanes that exist, `count` how many they are.
  template <typename Body>
  static TAILOPS_INLINE void for_each_vector(int64_t n, const Body& body) {
    const M all = M{} - 1;
    int64_t i = 0;
    for (; i + kStep <= n; i += kStep) body(i, all, kStep);
    if (i < n) {
      const int rest = static_cast<int>(n - i);
      body(i, first_lanes<C>(rest), rest);
    }
  }

  template <typename U>
  static auto load_count(const U* from, int count) {
    return count == kStep ? load(from) : load_first(from, count);
  }

  template <typename U>
  static void store_count(U* to, V v, int count) {
    if (count == kStep) return store(to, v);
    store_first(to, v, count);
  }

  static V zero_unless(M mask, V v) { return choose(mask, v, V{}); }

  static uint32_t bits_inside(V e, V band_low, V band_high, M valid) {
    return bits_of(valid) & ~(bits_less(e, band_low) | bits_less(band_high, e));
  }

  static M inside(V e, V band_low, V band_high) { return ~((e < band_low) | (e > band_high)); }

  // Which of the elements of a mask tie with the threshold.
  static M tied(M of, V e, V lower, V upper) { return of & ((e == lower) | (e == upper)); }
};

// A vector's lanes in float64, as many vectors as that takes.
template <typename C>
struct Wide {
  static constexpr int kParts = 8 / static_cast<int>(sizeof(C));
  DoubleVector part[kParts];

  Wide operator+(const Wide& other) const {
    return of([&](int k) { return part[k] + other.part[k]; });
  }
  Wide operator-(const Wide& other) const {
    return of([&](int k) { return part[k] - other.part[k]; });
  }
  Wide operator*(const Wide& other) const {
    return of([&](int k) { return part[k] * other.part[k]; });
  }
  double total() const {
    double total = 0.0;
    for (const DoubleVector& vector : part) {
      for (int lane = 0; lane < kLanes<double>; ++lane) total += vector[lane];
    }
    return total;
  }

  template <typename PartOf>
  static Wide of(const PartOf& part_of) {
    Wide wide;
    for (int k = 0; k < kParts; ++k) wide.part[k] = part_of(k);
    return wide;
  }
};

template <typename C>
inline Wide<C> wide_broadcast(double value) {
  return Wide<C>::of([&](int) { return broadcast(value); });
}

template <typename C>
inline Wide<C> wide_load(const double* from) {
  return Wide<C>::of([&](int k) { return load(from + k * kLanes<double>); });
}

template <typename C>
inline Wide<C> to_wide(Vector<C> v) {
  using Emulated = typename VectorOf<double, kLanes<C> * 8>::type;
  return reinterpret<Wide<C>>(__builtin_convertvector(v, Emulated));
}

template <typename C>
inline Vector<C> to_compute(const Wide<C>& v) {
  using Emulated = typename VectorOf<double, kLanes<C> * 8>::type;
  return __builtin_convertvector(reinterpret<Emulated>(v), Vector<C>);
}

template <typename C>
inline Wide<C> choose(Mask<C> mask, const Wide<C>& yes, const Wide<C>& no) {
  using Emulated = typename VectorOf<int64_t, kLanes<C> * 8>::type;
  struct Masks {
    Mask<double> part[Wide<C>::kParts];
  };
  const Masks masks = reinterpret<Masks>(__builtin_convertvector(mask, Emulated));
  return Wide<C>::of([&](int k) { return choose(masks.part[k], yes.part[k], no.part[k]); });
}

template <typename C>
inline Wide<C> product_or_zero(const Wide<C>& a, const Wide<C>& b) {
  return Wide<C>::of([&](int k) {
    const DoubleVector x = a.part[k], y = b.part[k], zero{};
    return choose((x == zero) | (y == zero), zero, x * y);
  });
}

// The upstream gradients of `count` elements.
template <typename T>
inline Wide<ComputeType<T>> exact_upstream(const Upstream<T>& upstream, int64_t i, int count) {
  using C = ComputeType<T>;
  if (!upstream.each) {
    return wide_broadcast<C>(static_cast<double>(widen(*upstream.values)) * upstream.factor);
  }
  return to_wide<C>(Lanes<T>::load_count(upstream.values + i, count)) *
         wide_broadcast<C>(upstream.factor);
}

// A sum over many elements: tiles are added up in C, the tiles in float64.
template <typename C>
class TileSums {
 public:
  void add(Vector<C> tile) { total_ = total_ + to_wide<C>(tile); }
  double total() const { return total_.total(); }

 private:
  Wide<C> total_ = wide_broadcast<C>(0.0);
};

// The same for the formulas of one error kind.
template <typename Error, typename T>
struct ErrorLanes : Lanes<T> {
  using C = ComputeType<T>;
  using Formulas = TailFormulas<Error, C>;

  using V = typename Lanes<T>::V;
  using M = typename Lanes<T>::M;

  static Formulas formulas_of(const LossParameters<C>& w) { return tailops::formulas_of<Error>(w); }

  static TAILOPS_INLINE void fetch_ahead(const T* y_true, const T* y_pred, int64_t vector) {
    if (Error::kReadsTarget) Lanes<T>::fetch_ahead(y_true, vector);
    Lanes<T>::fetch_ahead(y_pred, vector);
  }

  // Zero in the lanes behind `count`. A target that is not read is not loaded either.
  static TAILOPS_INLINE V residuals(const T* y_true, const T* y_pred, int count) {
    return Error::residual(Lanes<T>::load_count(y_pred, count),
                           Lanes<T>::load_count(y_true, count));
  }

  // body(residuals, offset, valid, count), as for_each_vector().
  template <typename Body>
  static TAILOPS_INLINE void for_each_residual(const T* y_true, const T* y_pred, int64_t n,
                                               const Body& body) {
    Lanes<T>::for_each_vector(n, [&](int64_t i, M valid, int count) TAILOPS_INLINE {
      if (count == Lanes<T>::kStep) fetch_ahead(y_true + i, y_pred + i, i / Lanes<T>::kStep);
      body(residuals(y_true + i, y_pred + i, count), i, valid, count);
    });
  }

  // A product with a subnormal number takes some processors two hundred cycles. An error below this
  // is one, and as good as zero where the threshold is subtracted from it or 1 added to it. S is C,
  // or V where each lane has a group of its own.
  template <typename S>
  static TAILOPS_INLINE S negligible(const LossParameters<C>& w, S steepness) {
    using Limits = std::numeric_limits<C>;
    constexpr C kRoom = C(1) / (C(uint64_t{1} << 53) * C(128));
    const C steepest = kRoom / Limits::min();
    return choose(steepness * w.weight_in_tail() <= steepest, S{} + Limits::min(), S{});
  }
  template <typename S>
  static TAILOPS_INLINE M is_negligible(S bound, V e) {
    return (Error::kMayBeNegative ? absolute(e) : e) < bound;
  }
  template <typename S>
  static TAILOPS_INLINE V zero_below(S bound, V e) {
    return choose(is_negligible(bound, e), V{}, e);
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
